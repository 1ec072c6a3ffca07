import assert from 'node:assert/strict';
import { chmod, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { standardTools } from '../../../src/agent/tools/standardTools.js';
import type { Tool, ToolResult } from '../../../src/agent/tools/tool.js';
import { hashText, NodeEdits } from '../../../src/agent/workspace/nodeEdits.js';
import { NodeWorkspace } from '../../../src/agent/workspace/nodeWorkspace.js';
import type { Approval, Decision, FileEdit } from '../../../src/protocol/agentEvents.js';
import { codeOf, ripgrep, withFolder } from './support/folder.js';
import { oneCall } from './support/oneCall.js';

const signal = new AbortController().signal;
const edit = (path: string, before: string | undefined, after: string): FileEdit =>
  ({ path, kind: before === undefined ? 'create' : 'replace', before: before ?? '', after, beforeHash: hashText(before ?? '') });

suite('writing edits', () => {
  test('replaces a file as a whole, keeps its mode and leaves nothing beside it', () => withFolder({ 'a.sh': 'old' }, async (root) => {
    await chmod(join(root, 'a.sh'), 0o750);
    await new NodeEdits(root).apply(edit('a.sh', 'old', 'new'), signal);
    assert.equal(await readFile(join(root, 'a.sh'), 'utf8'), 'new');
    if (process.platform !== 'win32') assert.equal((await stat(join(root, 'a.sh'))).mode & 0o777, 0o750);
    assert.deepEqual(await readdir(root), ['a.sh']);
  }));

  test('creates folders on the way, and never over a file that appeared meanwhile', () => withFolder({ 'b.ts': 'mine' }, async (root) => {
    await new NodeEdits(root).apply(edit('src/deep/a.ts', undefined, 'new'), signal);
    assert.equal(await readFile(join(root, 'src/deep/a.ts'), 'utf8'), 'new');
    assert.equal(await codeOf(new NodeEdits(root).apply(edit('b.ts', undefined, 'new'), signal)), 'edit.changedOnDisk');
    assert.equal(await readFile(join(root, 'b.ts'), 'utf8'), 'mine');
    assert.deepEqual((await readdir(root)).sort(), ['b.ts', 'src']);
  }));

  test('a file changed since the proposal is left alone', () => withFolder({ a: 'changed' }, async (root) => {
    assert.equal(await codeOf(new NodeEdits(root).apply(edit('a', 'old', 'new'), signal)), 'edit.changedOnDisk');
    assert.equal(await readFile(join(root, 'a'), 'utf8'), 'changed');
    assert.deepEqual(await readdir(root), ['a']);
  }));

  test('what a killed process left beside a file goes with the next edit there, what may still be written stays', () => withFolder({ a: 'old', '.0123456789ab.loupe-tmp': '', '.ba9876543210.loupe-tmp': '', '.mine.loupe-tmp': '' }, async (root) => {
    for (const name of ['.0123456789ab.loupe-tmp', '.mine.loupe-tmp']) await utimes(join(root, name), 1, 1);
    await new NodeEdits(root).apply(edit('a', 'old', 'new'), signal);
    assert.deepEqual((await readdir(root)).sort(), ['.ba9876543210.loupe-tmp', '.mine.loupe-tmp', 'a']);
  }));

  test('a file in another encoding is refused, byte for byte as it was', () => withFolder({ a: Buffer.from('caf\xe9\nold\n', 'latin1') }, async (root) => {
    const before = (await readFile(join(root, 'a'))).toString('utf8');
    assert.equal(await codeOf(new NodeEdits(root).apply(edit('a', before, before.replace('old', 'new')), signal)), 'edit.notApplied');
    assert.equal((await readFile(join(root, 'a'))).toString('latin1'), 'caf\xe9\nold\n');
  }));

  test('a stop before the end leaves the file as it was', () => withFolder({ a: 'old' }, async (root) => {
    await assert.rejects(new NodeEdits(root).apply(edit('a', 'old', 'new'), AbortSignal.abort()), { name: 'AbortError' });
    assert.equal(await readFile(join(root, 'a'), 'utf8'), 'old');
  }));
});

interface Bench { readonly tool: Tool; readonly approvals: Approval[]; readonly propose: (args: Record<string, unknown>, callId?: string) => Promise<Pick<ToolResult, 'outcome' | 'content'>> }

/** propose_edit on a folder; `decide` is the user. */
function bench(root: string, decide: (approval: Approval) => Decision | Promise<Decision> = () => 'accepted'): Bench {
  const approvals: Approval[] = [];
  const request = async (approval: Approval): Promise<Decision> => {
    approvals.push(approval);
    return decide(approval);
  };
  const tool = standardTools({ workspace: new NodeWorkspace(root, ripgrep), approvals: { request }, edits: new NodeEdits(root) }, 'full')
    .find(({ definition }) => definition.name === 'propose_edit');
  assert.ok(tool);
  let id = 0;
  return {
    tool, approvals,
    propose: async (args, callId = `call-${id++}`) => (await oneCall(tool, args, { callId, newId: () => `approval-${id++}` })).result,
  };
}

suite('propose_edit', () => {
  test('an accepted edit is on disk, a rejected one leaves the file byte-equal', () => withFolder({ 'a.ts': 'one\ntwo\n' }, async (root) => {
    const rejected = bench(root, () => 'rejected');
    assert.equal((await rejected.propose({ path: 'a.ts', old: 'two', new: '2' })).outcome, 'refused');
    assert.equal(await readFile(join(root, 'a.ts'), 'utf8'), 'one\ntwo\n');
    const { propose, approvals } = bench(root);
    const result = await propose({ path: './a.ts', old: 'two', new: '2' });
    assert.deepEqual([result.outcome, result.content], ['ok', 'The user accepted: a.ts was changed.']);
    assert.equal(await readFile(join(root, 'a.ts'), 'utf8'), 'one\n2\n');
    assert.deepEqual(approvals, [{ id: approvals[0]?.id, kind: 'edit', edit: edit('a.ts', 'one\ntwo\n', 'one\n2\n'), remember: ['session'] }]);
  }));

  test('creates a file, and refuses to create one that exists', () => withFolder({ 'a.ts': 'x' }, async (root) => {
    const { propose } = bench(root);
    assert.match((await propose({ path: 'new/b.ts', new: 'hello\n' })).content, /new\/b\.ts was created/);
    assert.equal(await readFile(join(root, 'new/b.ts'), 'utf8'), 'hello\n');
    const exists = await propose({ path: 'a.ts', new: 'y' });
    assert.match(exists.content, /^Error: a\.ts exists\./);
    assert.match((await propose({ path: 'c.ts', old: 'x', new: 'y' })).content, /There is no file c\.ts/);
  }));

  test('CRLF stays CRLF, whatever the model writes', () => withFolder({ 'a.ts': 'one\r\ntwo\r\nthree\r\n' }, async (root) => {
    await bench(root).propose({ path: 'a.ts', old: 'one\ntwo', new: '1\n1.5\n2' });
    assert.equal(await readFile(join(root, 'a.ts'), 'utf8'), '1\r\n1.5\r\n2\r\nthree\r\n');
    await bench(root).propose({ path: 'a.ts', old: 'three', new: '3\n4' });
    assert.equal(await readFile(join(root, 'a.ts'), 'utf8'), '1\r\n1.5\r\n2\r\n3\r\n4\r\n');
  }));

  test('replacement text is taken literally', () => withFolder({ 'a.ts': 'a.b(c)' }, async (root) => {
    await bench(root).propose({ path: 'a.ts', old: '.b(', new: '$&$1\\n(' });
    assert.equal(await readFile(join(root, 'a.ts'), 'utf8'), 'a$&$1\\n(c)');
  }));

  test('no match shows the nearest lines; several matches say where', () => withFolder({ 'a.ts': 'function f() {\n    return value + 1;\n}\nx\nx\n' }, async (root) => {
    const { propose, approvals } = bench(root);
    assert.match((await propose({ path: 'a.ts', old: 'function f() {\n  return value + 1;\n}', new: 'y' })).content,
      /not in a\.ts\. Only the blanks differ from lines 1-3:\nfunction f\(\) \{\n {4}return value \+ 1;\n\}\nCopy it exactly/);
    assert.match((await propose({ path: 'a.ts', old: 'return valeu + 1;', new: 'y' })).content, /The nearest are lines 2-2:\n {4}return value \+ 1;/);
    assert.match((await propose({ path: 'a.ts', old: 'qqqqqqq', new: 'y' })).content, /Nothing in the file is like it/);
    assert.match((await propose({ path: 'a.ts', old: 'x', new: 'y' })).content, /2 times in a\.ts, at lines 4, 5/);
    assert.match((await propose({ path: 'a.ts', old: 'return value', new: 'return value' })).content, /changes nothing/);
    assert.deepEqual(approvals, [], 'nobody was asked about what cannot be done');
  }));

  test('a file that changes during the preview is previewed again, not overwritten', () => withFolder({ 'a.ts': 'one\ntwo\n' }, async (root) => {
    let times = 0;
    const { propose, approvals } = bench(root, async (): Promise<Decision> => {
      if (++times === 1) await writeFile(join(root, 'a.ts'), 'zero\none\ntwo\n');
      return 'accepted';
    });
    assert.equal((await propose({ path: 'a.ts', old: 'two', new: '2' })).outcome, 'ok');
    assert.equal(await readFile(join(root, 'a.ts'), 'utf8'), 'zero\none\n2\n');
    assert.deepEqual([approvals.length, new Set(approvals.map(({ id }) => id)).size], [2, 2]);
  }));

  test('a file that never stops changing is given up', () => withFolder({ 'a.ts': 'two\n' }, async (root) => {
    let times = 0;
    const { propose } = bench(root, async (): Promise<Decision> => {
      await writeFile(join(root, 'a.ts'), `two\n${++times}`);
      return 'accepted';
    });
    assert.match((await propose({ path: 'a.ts', old: 'two', new: '2' })).content, /^Error: a\.ts changed since/);
    assert.equal(times, 3);
  }));

  test('the same call of a turn takes effect once', () => withFolder({ 'a.ts': 'x' }, async (root) => {
    const { propose, approvals } = bench(root);
    const [first, second] = await Promise.all([propose({ path: 'a.ts', old: 'x', new: 'xx' }, 'same'), propose({ path: 'a.ts', old: 'x', new: 'xx' }, 'same')]);
    assert.deepEqual(first, second);
    assert.deepEqual((await propose({ path: 'a.ts', old: 'xx', new: 'xxx' }, 'same')), first);
    assert.deepEqual([await readFile(join(root, 'a.ts'), 'utf8'), approvals.length], ['xx', 1]);
  }));

  test('attacks 1, 3: policy files ask like any other, with a warning, created or changed', () => withFolder({ '.vscode/settings.json': '{}' }, async (root) => {
    const { propose, approvals } = bench(root, () => 'rejected');
    await propose({ path: '.vscode/settings.json', old: '{}', new: '{"loupe.model.chat": "x"}' });
    for (const path of ['.mcp.json', '.vscode/mcp.json', '.cursor/mcp.json', '.VSCODE/Settings.json']) await propose({ path, new: '{}' });
    assert.equal(approvals.length, 5);
    assert.ok(approvals.every(({ warning, remember }) => warning?.includes('run by themselves') && remember === undefined));
    assert.deepEqual(await readdir(root), ['.vscode']);
  }));

  test('attack 22: text that cannot be seen is announced', () => withFolder({ 'a.ts': 'x' }, async (root) => {
    const { propose, approvals } = bench(root);
    await propose({ path: 'a.ts', old: 'x', new: 'x\u202e' });
    assert.match(approvals[0]?.warning ?? '', /a character that cannot be seen/);
  }));

  test('paths outside and secrets are errors, and nobody is asked', () => withFolder({ '.env': 'KEY=1' }, async (root) => {
    const { propose, approvals } = bench(root);
    assert.match((await propose({ path: '../x', new: 'y' })).content, /outside the workspace/);
    assert.match((await propose({ path: '.env', old: 'KEY', new: 'y' })).content, /credentials/);
    assert.match((await propose({ path: '', new: 'y' })).content, /path is missing/);
    assert.deepEqual(approvals, []);
  }));
});
