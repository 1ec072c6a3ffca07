import assert from 'node:assert/strict';
import { makeError } from '../../../src/base/errors.js';
import { err, ok } from '../../../src/base/result.js';
import { configuration, Editor } from '../../support/languageServer/editor.js';
import { coder, ScriptedEngine } from './scriptedEngine.js';

/** The real server over LSP in one process; the engine is scripted. */
suite('inline: language server', () => {
  let engine: ScriptedEngine;
  let editor: Editor;
  setup(() => (engine = new ScriptedEngine()));
  teardown(() => editor.dispose());

  const started = async (): Promise<void> => {
    editor = await Editor.start(engine);
    await editor.show('file:///repo/src/a.ts', 'typescript', '');
    await editor.status('ready');
  };
  const texts = (items: readonly { readonly insertText: unknown }[] | null): unknown => items?.map((item) => item.insertText) ?? null;
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

  test('a suggestion is plain text at the cursor', async () => {
    await started();
    engine.answer = () => 'items.length;\nmore';
    const items = await editor.type('const count = |\n');
    assert.deepEqual(items, [{ insertText: 'items.length;', range: { start: { line: 0, character: 14 }, end: { line: 0, character: 14 } } }]);
    const [request] = engine.requests;
    assert.equal(request?.role, 'completion');
    assert.deepEqual(request?.prompt.map(({ text }) => text), ['<|fim_prefix|>', 'const count = ', '<|fim_suffix|>', '\n', '<|fim_middle|>']);
    assert.ok(request?.stop.includes('\n'));
  });

  test('the model is loaded when a file is opened in which it is wanted, and once', async () => {
    editor = await Editor.start(engine);
    await editor.show('file:///repo/notes.md', 'markdown', '');
    await pause(20);
    assert.equal(engine.loads.length, 0);
    await editor.show('file:///repo/src/a.ts', 'typescript', '');
    await editor.show('file:///repo/src/b.ts', 'typescript', '');
    await editor.status('ready');
    assert.deepEqual(engine.loads, [configuration.model]);
    assert.deepEqual(editor.statuses.map(({ state }) => state), ['starting', 'loading', 'ready']);
  });

  test('a request waits for the model that is loading, also when the same configuration comes again', async () => {
    engine.loadMs = 800;
    engine.answer = () => 'b;';
    editor = await Editor.start(engine);
    const waiting = editor.type('const a = |\n');
    await pause(400);
    await editor.configure({});
    assert.deepEqual(texts(await waiting), ['b;']);
    assert.equal(engine.loads.length, 1);
  });

  test('a model chosen while another one loads is loaded after it', async () => {
    engine.loadMs = 300;
    editor = await Editor.start(engine);
    await editor.show('file:///repo/src/a.ts', 'typescript', '');
    await pause(100);
    await editor.configure({ model: { ...configuration.model, modelPath: '/models/other.gguf' } as typeof configuration.model });
    await editor.status('ready');
    assert.deepEqual(engine.loads.map(({ modelPath }) => modelPath), ['/models/qwen2.5-coder.gguf', '/models/other.gguf']);
  });

  test('typing through a suggestion and back asks the model once', async () => {
    await started();
    engine.answer = () => 'items.length;';
    assert.deepEqual(texts(await editor.type('const count = |\n')), ['items.length;']);
    assert.deepEqual(texts(await editor.type('const count = i|\n')), ['tems.length;']);
    assert.deepEqual(texts(await editor.type('const count = items.|\n')), ['length;']);
    assert.deepEqual(texts(await editor.type('const count = item|\n')), ['s.length;']);
    assert.equal(engine.requests.length, 1);
    assert.deepEqual(editor.measurements.map(({ source }) => source), ['model', 'cache', 'cache', 'cache']);
  });

  test('a new keystroke aborts the generation that runs', async () => {
    await started();
    engine.tokenMs = 30;
    engine.answer = () => 'a very long answer that takes a while to be written down';
    const first = editor.type('const count = |\n');
    await pause(400);
    assert.equal(engine.requests.length, 1);
    engine.answer = () => 'other();';
    const second = editor.type('const count = x|\n');
    assert.equal(await first, null);
    assert.deepEqual(texts(await second), ['other();']);
    assert.equal(engine.aborted.length, 1);
  });

  test('a cancelled request is answered at once, and the engine ends at its next token', async () => {
    await started();
    engine.tokenMs = 600;
    engine.answer = () => 'x'.repeat(4000);
    const cancelledAt = { ms: 0 };
    const cancel = pause(500).then(() => void (cancelledAt.ms = performance.now()));
    await assert.doesNotReject(editor.type('const count = |\n', { cancel, invoked: true }).then((items) => assert.equal(items, null)));
    const waited = performance.now() - cancelledAt.ms;
    await pause(700);
    assert.equal(engine.aborted.length, 1);
    assert.ok(waited < 100, `${waited} ms`);
  });

  test('keystrokes at a steady pace start no request', async () => {
    await started();
    engine.answer = () => 'done();';
    const text = 'const counter = ';
    const asked: Promise<unknown>[] = [];
    for (let i = 1; i <= text.length; i++) {
      asked.push(editor.type(`${text.slice(0, i)}|\n`));
      await pause(40);
    }
    assert.deepEqual(texts(await (asked.at(-1) as Promise<{ insertText: unknown }[] | null>)), ['done();']);
    assert.equal(engine.requests.length, 1);
  });

  test('a block stops where it ends, and the generation with it', async () => {
    await started();
    engine.tokenMs = 1;
    engine.answer = () => '\n  return a + b;\n}\n\nfunction sub(a, b) {\n  return a - b;\n}\n';
    assert.deepEqual(texts(await editor.type('function add(a, b) {|\n')), ['\n  return a + b;\n}']);
    await pause(20);
    assert.equal(engine.aborted.length, 1);
  });

  test('a block that was cut short does not end with an opener', async () => {
    await started();
    engine.answer = () => `\n  const first = begin(a);\n  if (first) {\n    ${'longName.'.repeat(60)}`;
    assert.deepEqual(texts(await editor.type('function add(a, b) {|\n', { invoked: true })), ['\n  const first = begin(a);']);
  });

  test('a slow machine gives whole lines: the first one always, further ones while there is time', async () => {
    await started();
    engine.tokenMs = 150;
    engine.answer = () => '\n  const first = computeSomethingLong(a, b);\n  const second = computeSomethingElse(a, b);\n  return first + second;\n}\n';
    assert.deepEqual(texts(await editor.type('function add(a, b) {|\n')), ['\n  const first = computeSomethingLong(a, b);']);
    engine.answer = () => 'computeSomethingThatHasAVeryLongName(first, second);';
    assert.deepEqual(texts(await editor.type('const value = |\n')), ['computeSomethingThatHasAVeryLongName(first, second);']);
  }).timeout(10_000);

  test('a disabled language gets nothing', async () => {
    await started();
    engine.answer = () => 'text';
    assert.equal(await editor.type('Some |\n', { uri: 'file:///repo/a.md', languageId: 'markdown' }), null);
    await editor.configure({ languages: { '*': false } });
    assert.equal(await editor.type('const a = |\n'), null);
    assert.equal(engine.requests.length, 0);
  });

  test('an entry of the suggestion list is continued', async () => {
    await started();
    engine.answer = () => '(items);';
    const selected = { range: { start: { line: 0, character: 0 }, end: { line: 0, character: 2 } }, text: 'push' };
    assert.deepEqual(await editor.type('pu|\n', { selected }), [{ insertText: 'push(items);', range: selected.range }]);
    assert.equal(engine.requests[0]?.prompt[1]?.text, 'push');
  });

  test('an entry that rewrites what is typed gets no suggestion', async () => {
    await started();
    engine.answer = () => '(items);';
    const selected = { range: { start: { line: 0, character: 0 }, end: { line: 0, character: 2 } }, text: 'unshift' };
    assert.equal(await editor.type('pu|\n', { selected }), null);
    assert.equal(engine.requests.length, 0);
  });

  test('a suggestion that begins the statement anew is mended once, and typed through like any other', async () => {
    await started();
    engine.answer = () => 'return a - b;';
    assert.deepEqual(texts(await editor.type('return |\n')), ['a - b;']);
    assert.deepEqual(texts(await editor.type('return a|\n')), [' - b;']);
    assert.equal(engine.requests.length, 1);
    engine.answer = () => 'x.next.next;';
    assert.deepEqual(texts(await editor.type('const y = |\n')), ['x.next.next;']);
    assert.deepEqual(texts(await editor.type('const y = x.next|\n')), ['.next;']);
    engine.answer = () => 'return;';
    assert.equal(await editor.type('if (done) return |\n'), null);
    assert.equal(editor.measurements.at(-1)?.reason, 'repeatsStart');
  });

  test('a worthless answer is not shown and not asked for again', async () => {
    await started();
    engine.answer = () => '   ';
    assert.equal(await editor.type('const a = |\n'), null);
    assert.equal(await editor.type('const a = |\n'), null);
    assert.equal(engine.requests.length, 1);
    assert.equal(editor.measurements[0]?.reason, 'empty');
  });

  test('a request that the sidecar dropped for another window is asked again', async () => {
    await started();
    engine.dropped = true;
    assert.equal(await editor.type('const a = |\n'), null);
    engine.dropped = false;
    engine.answer = () => 'b;';
    assert.deepEqual(texts(await editor.type('const a = |\n')), ['b;']);
  });

  test('files that were left are context for others, and the prompt only grows at its end', async () => {
    await started();
    engine.answer = () => 'x();';
    await editor.type('export function area(width: number, height: number) {|\n', { uri: 'file:///repo/src/area.ts' });
    await editor.type('import { area } from "./area";\nconst a = |\n');
    await editor.type('import { area } from "./area";\nconst a = q|\n');
    const [, first, second] = engine.requests.map(({ prompt }) => prompt.map(({ text }) => text).join(''));
    assert.match(first ?? '', /^<\|repo_name\|>repository\n<\|file_sep\|>src\/area\.ts\nexport function area/u);
    assert.match(first ?? '', /<\|file_sep\|>src\/a\.ts\n<\|fim_prefix\|>import/u);
    assert.ok(second?.startsWith(first?.slice(0, first.indexOf('<|fim_suffix|>')) ?? 'missing'));
  });

  test('Windows line ends are one character to the model', async () => {
    await started();
    engine.answer = () => 'b();';
    await editor.type('a();\r\n|\r\nc();\r\n');
    assert.deepEqual(engine.requests[0]?.prompt.map(({ text }) => text), ['<|fim_prefix|>', 'a();\n', '<|fim_suffix|>', '\nc();\n', '<|fim_middle|>']);
  });

  test('no model: one status with a next step, and silence', async () => {
    editor = await Editor.start(engine, { configuration: { ...configuration, model: null } });
    const status = await editor.status('unavailable');
    assert.equal(status.state === 'unavailable' && status.error.code, 'model.none');
    assert.equal(await editor.type('const a = |\n'), null);
    assert.equal(await editor.type('const ab = |\n'), null);
    assert.equal(editor.statuses.length, 1);
    assert.equal(engine.loads.length, 0);
  });

  test('a model without fill-in-the-middle: one status with a next step, no second load', async () => {
    engine.loaded = ok({ ...coder, name: 'Gemma 3 270M', architecture: 'gemma3', fillInMiddle: false });
    editor = await Editor.start(engine);
    await editor.show('file:///repo/src/a.ts', 'typescript', '');
    const status = await editor.status('unavailable');
    assert.ok(status.state === 'unavailable' && status.error.code === 'model.noFillInMiddle' && status.error.next.includes('loupe.model.completion'));
    assert.equal(await editor.type('const a = |\n'), null);
    assert.equal(await editor.type('const ab = |\n'), null);
    assert.equal(engine.loads.length, 1);
    assert.equal(engine.requests.length, 0);
    engine.loaded = ok(coder);
    await editor.configure({ model: { ...configuration.model, modelPath: '/models/other.gguf' } as typeof configuration.model });
    await editor.status('ready');
  });

  test('a failed load is said once and not tried with every keystroke', async () => {
    engine.loaded = err(makeError('model.truncated', 'The file is cut off.', 'Download it again.'));
    editor = await Editor.start(engine);
    for (const name of ['a', 'b', 'c']) assert.equal(await editor.type(`const ${name} = |\n`), null);
    assert.equal(engine.loads.length, 1);
    assert.equal(editor.statuses.filter(({ state }) => state === 'unavailable').length, 1);
  });

  test('a crash of the sidecar is silent; suggestions come back with it', async () => {
    await started();
    engine.failure = makeError('sidecar.crashed', 'The sidecar ended.', 'It starts again.');
    assert.equal(await editor.type('const a = |\n'), null);
    engine.failure = undefined;
    engine.roleChanged({ state: 'empty' });
    engine.roleChanged({ state: 'loading', path: coder.path, fraction: 0.5 });
    engine.answer = () => 'b;';
    const waiting = editor.type('const aa = |\n');
    await pause(500);
    assert.equal(engine.requests.length, 1);
    engine.roleChanged({ state: 'ready', model: coder });
    assert.deepEqual(texts(await waiting), ['b;']);
    assert.deepEqual(editor.statuses.map(({ state }) => state), ['starting', 'loading', 'ready', 'loading', 'ready']);
  });

  test('a configuration that is not understood changes nothing', async () => {
    await started();
    engine.answer = () => 'b;';
    await editor.configure({ maxTokens: 'many' as unknown as number });
    assert.deepEqual(texts(await editor.type('const a = |\n')), ['b;']);
  });
});
