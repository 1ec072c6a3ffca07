import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeError } from '../../../src/base/errors.js';
import { ok, err, type Result } from '../../../src/base/result.js';
import { NodeWorkspace } from '../../../src/agent/workspace/nodeWorkspace.js';
import { parseArguments, type AskOptions } from '../../../src/cli/args.js';
import { ask, type AskDeps } from '../../../src/cli/ask.js';
import { hopTable, terminalSafe } from '../../../src/cli/report.js';
import type { ChatModel } from '../../../src/model/chatModel.js';
import { ripgrep, withFolder } from '../agent/support/folder.js';
import { FakeTime } from '../agent/support/fakeTime.js';
import { answer, call, calls, finished, ScriptedModel, text, type Reply } from '../agent/support/scriptedModel.js';
import { events, fold } from '../trace/turns.js';

function options(folder: string, more: Partial<AskOptions> = {}): AskOptions {
  return { question: 'Where is it?', folder, json: false, model: 'auto', steps: 15, endpoint: undefined, ...more };
}

interface Asked { readonly code: number; readonly out: string; readonly notes: string; readonly model: ScriptedModel }

async function run(folder: string, replies: readonly Reply[], more: { options?: Partial<AskOptions>; progress?: boolean; connect?: Result<ChatModel>; signal?: AbortSignal } = {}): Promise<Asked> {
  let out = '';
  let notes = '';
  const model = new ScriptedModel(replies);
  const deps: AskDeps = {
    clock: new FakeTime(), workspace: (root) => new NodeWorkspace(root, ripgrep), connect: () => Promise.resolve(more.connect ?? ok(model)),
    output: { write: (t) => (out += t), note: (t) => (notes += t), progress: more.progress ?? false },
  };
  const code = await ask(deps, options(folder, more.options), more.signal ?? new AbortController().signal);
  return { code, out, notes, model };
}

suite('command line: arguments', () => {
  test('words are the question, options are options', () => {
    assert.deepEqual(parseArguments(['where', 'is', '--steps', '3', 'it', '--folder=x', '--json', '--model', 'm', '--endpoint', 'http://h/v1']), {
      kind: 'ask', options: { question: 'where is it', folder: 'x', json: true, model: 'm', steps: 3, endpoint: 'http://h/v1' },
    });
    assert.deepEqual(parseArguments(['q']), { kind: 'ask', options: options('.', { question: 'q' }) });
    assert.equal(parseArguments(['--help']).kind, 'help');
  });

  test('what is wrong is named', () => {
    for (const [args, problem] of [[[], /no question/], [['q', '--steps', '0'], /whole number from 1 to 100/], [['q', '--steps', 'x'], /whole number/], [['q', '--nope'], /--nope/], [['q', '--model'], /--model/]] as const) {
      const parsed = parseArguments(args);
      assert.match(parsed.kind === 'usage' ? parsed.problem : '', problem);
    }
  });
});

suite('command line: ask', () => {
  test('prints the answer, the hop table and the gate', () => withFolder({ 'a.ts': 'x' }, async (root) => {
    const { code, out, notes } = await run(root, [calls(call('read_file', { path: 'a.ts' })), answer('In `a.ts`.', { prefillMs: 12.4, decodeMs: 100 })]);
    assert.equal(code, 0);
    assert.equal(notes, '', 'no progress where nobody looks');
    const lines = out.split('\n');
    assert.deepEqual(lines.slice(0, 5), [
      'In `a.ts`.', '',
      'hop  outcome    queue  restore  prefill  decode  tool   in  cached  out',
      '  1  read_file      0        0        0       0     0  100      90   10',
      '  2  answer         0        0       12     100     0  100      90   10',
    ]);
    assert.equal(lines[6], 'gate: answered. Answered after 2 steps and 1 tool call.');
  }));

  test('--json prints one object with the trace', () => withFolder({}, async (root) => {
    const { code, out } = await run(root, [answer('Here.')], { options: { json: true } });
    const report = JSON.parse(out) as Record<string, unknown> & { trace: { hops: unknown[] } };
    assert.deepEqual([code, report['answer'], report['gate'], report['partial'], report.trace.hops.length], [0, 'Here.', 'answered', false, 1]);
  }));

  test('progress is shown on a terminal, and taken away before text', () => withFolder({ 'a.ts': 'x' }, async (root) => {
    const progress = { type: 'progress', phase: 'prefill', done: 5, total: 10 } as const;
    const { out, notes } = await run(root, [[progress, call('read_file', { path: 'a.ts' }), finished()], [text('Done.'), finished()]], { progress: true });
    assert.match(notes, /step 1.*reading 5 of 10 tokens.*· read_file: a\.ts lines 1-1 of 1\n.*step 2.*\r\u001b\[K$/s);
    assert.match(out, /^Done\.\n\nhop/);
  }));

  test('attack 12: nothing is written or run, and neither is offered', () => withFolder({ 'a.ts': 'x' }, async (root) => {
    const { code, model, out } = await run(root, [
      calls(call('propose_edit', { path: 'a.ts', old: 'x', new: 'y' }), call('run_command', { command: 'touch pwned' })), answer('Tried.'),
    ]);
    assert.equal(code, 0);
    assert.deepEqual(model.requests[0]?.tools.map(({ name }) => name), ['list_files', 'read_file', 'search_text', 'find_symbol']);
    assert.match(out, /`propose_edit` not done.*\n.*`run_command` not done/);
    const workspace = new NodeWorkspace(root, ripgrep);
    const signal = new AbortController().signal;
    assert.equal(await workspace.readFile('a.ts', signal), 'x');
    assert.deepEqual((await workspace.listFiles({ limit: 9 }, signal)).paths, ['a.ts']);
  }));

  test('attacks 13, 14: no configuration of the folder is read', () => withFolder({
    '.vscode/settings.json': '{"loupe.model.chat": "endpoint", "loupe.endpoint.url": "http://127.0.0.1:9/v1", "loupe.agent.maxSteps": 1}',
    '.env': 'LOUPE_CACHE=/evil\nLOUPE_API_KEY=evil\n', '.loupe/config.json': '{"steps": 1}',
  }, async (root) => {
    const seen: AskOptions[] = [];
    const deps: AskDeps = {
      clock: new FakeTime(), workspace: (folder) => new NodeWorkspace(folder, ripgrep), output: { write: () => undefined, note: () => undefined, progress: false },
      connect: (asked) => { seen.push(asked); return Promise.resolve(ok(new ScriptedModel([calls(call('list_files')), answer('Done.')]))); },
    };
    assert.equal(await ask(deps, options(root), new AbortController().signal), 0);
    assert.deepEqual(seen, [options(root)]);
    assert.equal(process.env['LOUPE_API_KEY'], undefined);
  }));

  test('exit codes: error 1, partial 3, stopped 130', () => withFolder({}, async (root) => {
    const error = makeError('sidecar.crashed', 'The model process ended.', 'Ask again.');
    const failed = await run(root, [[text('Half'), { type: 'failed', error }]]);
    assert.equal(failed.code, 1);
    assert.match(failed.out, /^Half\n\nhop/);
    assert.equal(failed.notes, 'The model process ended.\nAsk again.\n');
    assert.equal((await run(root, [calls(call('list_files')), answer('Partly.')], { options: { steps: 2 } })).code, 3);
    const controller = new AbortController();
    const stopped = await run(root, [[text('Half an answer'), () => controller.abort(), finished({ finish: 'cancelled' })]], { signal: controller.signal });
    assert.equal(stopped.code, 130);
    assert.match(stopped.out, /^Half an answer\n\nhop[^]*gate: cancelled\. Stopped by the user in step 1\./);
  }));

  test('a stop while the model loads ends at once', () => withFolder({}, async (root) => {
    const { code } = await run(root, [], { signal: AbortSignal.abort() });
    assert.equal(code, 130);
  }));

  test('no folder, a file for a folder, no model: each with a next step', () => withFolder({ file: 'x' }, async (root, outside) => {
    for (const path of [join(outside, 'nope'), join(root, 'file')]) {
      const { code, notes } = await run(path, []);
      assert.deepEqual([code, /no folder .*\nGive the path of a folder/.test(notes)], [1, true]);
    }
    const none = await run(root, [], { connect: err(makeError('model.none', 'No chat model is installed.', 'Download one.')) });
    assert.deepEqual([none.code, none.out], [1, '']);
    assert.match(none.notes, /^No chat model is installed\.\nDownload one\.\nHere: `npm run setup` fetches a model/);
    const json = await run(root, [], { connect: err(makeError('model.none', 'No chat model is installed.', 'Download one.')), options: { json: true } });
    assert.equal((JSON.parse(json.out) as { error: { code: string } }).error.code, 'model.none');
  }));

  test('a linked folder is its target', () => withFolder({}, async (_, outside) => {
    await mkdir(join(outside, 'real'));
    await writeFile(join(outside, 'real/a.ts'), 'x');
    assert.equal((await run(join(outside, 'real'), [answer('Yes.')])).code, 0);
  }));

  test('what a model writes cannot steer the terminal', () => {
    assert.equal(terminalSafe('a\u001b[2Jb\r\nc\rd\u009be\u202ef'), 'a\\x1b[2Jb\nc\\xdd\\x9be\\x202ef');
    assert.equal(terminalSafe('tab\tand\nline'), 'tab\tand\nline');
  });

  test('the hop table of a turn that was cut off has dashes for what is not known', () => {
    const table = hopTable(fold(events('t').slice(0, 2)));
    assert.match(table, /\n {2}1 {2}running {6}- /);
  });
});
