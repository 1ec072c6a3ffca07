import assert from 'node:assert/strict';
import { standardTools } from '../../../src/agent/tools/standardTools.js';
import type { ToolResult } from '../../../src/agent/tools/tool.js';
import type { Diagnostic, WorkspacePort } from '../../../src/agent/ports.js';
import { NodeWorkspace } from '../../../src/agent/workspace/nodeWorkspace.js';
import { ripgrep, withFolder } from './support/folder.js';

const signal = new AbortController().signal;

async function use(workspace: WorkspacePort, name: string, args: Record<string, unknown> = {}): Promise<ToolResult> {
  const tool = standardTools({ workspace }, 'zero').find(({ definition }) => definition.name === name);
  assert.ok(tool, name);
  return tool.run(args, { turnId: 't', callId: 'c', zone: 'zero', signal, reach: { path: 'workspace' }, newId: () => 'n', coldStart: (_, starting) => starting, approval: () => assert.fail('a read never asks') });
}

suite('read tools', () => {
  const lines = (n: number, from = 1): string => Array.from({ length: n }, (_, i) => `line ${i + from}\n`).join('');

  test('their definitions are few tokens: a 1.5B model reads them in every prompt', () => {
    const ports = { approvals: { request: () => assert.fail() }, edits: { apply: () => assert.fail() }, commands: { run: () => assert.fail(), isolation: () => assert.fail() } };
    const definitions = standardTools({ workspace: new NodeWorkspace('/w', ripgrep), ...ports }, 'full').map(({ definition }) => definition);
    assert.deepEqual(definitions.map(({ name }) => name), ['list_files', 'read_file', 'search_text', 'find_symbol', 'diagnostics', 'propose_edit', 'run_command']);
    assert.ok(JSON.stringify(definitions).length < 2_400);
    assert.deepEqual(definitions[1]?.parameters, {
      type: 'object', required: ['path'],
      properties: { path: { type: 'string' }, start_line: { type: 'integer', minimum: 1 }, end_line: { type: 'integer', minimum: 1 } },
    });
  });

  test('read_file numbers lines from 1 and says what it leaves out', () => withFolder({ 'a.txt': lines(500), 'b.txt': 'x\r\ny', 'empty.txt': '' }, async (root) => {
    const read = (args: Record<string, unknown>): Promise<ToolResult> => use(new NodeWorkspace(root, ripgrep), 'read_file', args);
    const part = await read({ path: 'a.txt', start_line: 2, end_line: 3 });
    assert.deepEqual([part.content, part.truncated, part.summary], ['a.txt\n2|line 2\n3|line 3\n[the file has 500 lines]', false, 'a.txt lines 2-3 of 500']);
    const whole = await read({ path: 'a.txt' });
    assert.match(whole.content, /\n200\|line 200\n\[Truncated: lines 201-500 are not shown; read on with start_line 201\]$/);
    assert.equal(whole.truncated, true);
    assert.equal((await read({ path: 'b.txt' })).content, 'b.txt\n1|x\n2|y');
    assert.equal((await read({ path: 'a.txt', start_line: '500', end_line: null })).content, 'a.txt\n500|line 500', 'numbers as text and nulls are understood');
    assert.deepEqual((await read({ path: 'a.txt', start_line: 501 })).outcome, 'empty');
    assert.deepEqual((await read({ path: 'empty.txt' })).outcome, 'empty');
    assert.match((await read({ path: 'nope.txt' })).content, /^Error: There is no file "nope\.txt"\. Use list_files/);
    assert.match((await read({ path: 'a.txt', start_line: 0 })).content, /^Error: The arguments of read_file do not fit \(start_line:/);
  }));

  test('read_file shows a short file whole, whatever range is asked for', () => withFolder({ 'short.ts': lines(60), 'long.ts': lines(61), 'wide.ts': 'w'.repeat(2_000) + '\n' + 'v'.repeat(2_000) }, async (root) => {
    const ask = async (path: string, start: number, end: number): Promise<string> =>
      (await use(new NodeWorkspace(root, ripgrep), 'read_file', { path, start_line: start, end_line: end })).summary;
    assert.equal(await ask('short.ts', 1, 2), 'short.ts lines 1-60 of 60');
    assert.equal(await ask('short.ts', 90, 99), 'short.ts lines 1-60 of 60');
    assert.equal(await ask('long.ts', 1, 2), 'long.ts lines 1-2 of 61');
    assert.equal(await ask('wide.ts', 2, 2), 'wide.ts lines 2-2 of 2');
  }));

  test('read_file stays within its size, one enormous line included', () => withFolder({ 'wide.txt': `${'w'.repeat(300)}\n`.repeat(300), 'min.js': 'm'.repeat(1_000_000) }, async (root) => {
    const workspace = new NodeWorkspace(root, ripgrep);
    const wide = await use(workspace, 'read_file', { path: 'wide.txt' });
    assert.ok(wide.truncated && wide.content.length < 8_300);
    const next = Number(/start_line (\d+)/.exec(wide.content)?.[1]);
    assert.match((await use(workspace, 'read_file', { path: 'wide.txt', start_line: next })).content, new RegExp(`^wide.txt\n${next}\\|w`));
    const min = await use(workspace, 'read_file', { path: 'min.js' });
    assert.ok(min.truncated && min.content.length < 2_200);
    assert.match(min.content, /long lines are cut/);
  }));

  test('lists, matches and definitions say when there is more', () => withFolder({
    ...Object.fromEntries(Array.from({ length: 120 }, (_, i) => [`f${String(i).padStart(3, '0')}.ts`, 'function target() {\n']) ),
  }, async (root) => {
    const workspace = new NodeWorkspace(root, ripgrep);
    const list = await use(workspace, 'list_files');
    assert.deepEqual([list.truncated, list.content.split('\n').length, list.summary], [true, 101, '100 files']);
    const search = await use(workspace, 'search_text', { pattern: 'TARGET' });
    assert.match(search.content, /^f000\.ts, around line 1:\n1\|function target\(\) \{\n/);
    assert.match(search.content, /\nf002\.ts:1: function target\(\) \{\n/);
    assert.match(search.content, /\n\[Truncated: only the first 30 matches\./);
    assert.equal(search.summary, '30 matches for "TARGET" in 30 files');
    assert.match((await use(workspace, 'find_symbol', { name: 'target' })).content, /\[Truncated: only the first 15 definitions/);
    assert.match((await use(workspace, 'find_symbol', { name: 'App.target()' })).content, /^f000\.ts:1: function target/);
  }));

  test('a phrase that stands nowhere gives the lines with most of its words, and says so', () => withFolder({
    'a.ts': '/** Waits between tries. */\nconst between = 1;\n', 'b.md': 'It waits.\n',
  }, async (root) => {
    const { outcome, content } = await use(new NodeWorkspace(root, ripgrep), 'search_text', { pattern: 'wait between two tries' });
    assert.deepEqual([outcome, content], ['ok', 'a.ts, around line 1:\n1|/** Waits between tries. */\n2|const between = 1;\n[No line has "wait between two tries" as a whole; these have 3 of its words.]']);
    for (const pattern of ['tries_between_calls', 'triesBetweenCalls', 'tries|between-calls']) {
      const { content: of } = await use(new NodeWorkspace(root, ripgrep), 'search_text', { pattern });
      assert.match(of, /^a\.ts, around line 1:\n1\|[^]*these have 2 of its words/, pattern);
    }
  }));

  test('few matches come with the lines around them, many without', () => withFolder({
    'a.ts': lines(3) + 'hit\n' + lines(6, 5) + 'hit\n' + lines(9, 12), 'b.ts': 'hit\n'.repeat(5), 'c.ts': 'just one\n',
  }, async (root) => {
    const search = async (pattern: string): Promise<string> => (await use(new NodeWorkspace(root, ripgrep), 'search_text', { pattern })).content;
    assert.equal(await search('just'), 'c.ts, around line 1:\n1|just one');
    assert.match(await search('hit'), /^a\.ts:4: hit\na\.ts:11: hit\nb\.ts:1: hit\n/);
    const two = await use(new NodeWorkspace(root, ripgrep), 'search_text', { pattern: 'hit', glob: 'a.ts' });
    assert.equal(two.content, `a.ts, around line 4, 11:\n${['2|line 2', '3|line 3', '4|hit', '5|line 5', '6|line 6', '7|line 7', '8|line 8', '9|line 9', '10|line 10', '11|hit', '12|line 12', '13|line 13', '14|line 14', '15|line 15', '16|line 16', '17|line 17'].join('\n')}`);
    assert.equal(two.summary, '2 matches for "hit" in a.ts in 1 file');
  }));

  test('of many matches those that define something come first, with their lines', () => withFolder({
    'a.ts': 'use(retry);\n'.repeat(5), 'b.ts': 'export const retry = {\n  attempts: 7,\n};\n',
  }, async (root) => {
    const workspace = new NodeWorkspace(root, ripgrep);
    const expected = 'b.ts, around line 1:\n1|export const retry = {\n2|  attempts: 7,\n3|};\na.ts:1: use(retry);';
    assert.ok((await use(workspace, 'search_text', { pattern: 'retry' })).content.startsWith(expected));
    const madeUp = await use(workspace, 'find_symbol', { name: 'retry_limit' });
    assert.ok(madeUp.content.startsWith(expected));
    assert.match(madeUp.content, /\[No line has retry_limit as a whole; these have 1 of its words\.\]$/);
  }));

  test('words are found without their endings, and a guessed folder shows what there is', () => withFolder({ 'a.py': 'self.misses >= 3\n', 'src/b.py': 'x\n' }, async (root) => {
    const workspace = new NodeWorkspace(root, ripgrep);
    const near = await use(workspace, 'search_text', { pattern: 'missed readings' });
    assert.match(near.content, /^a\.py, around line 1:\n1\|self\.misses >= 3\n\[No line has "missed readings" as a whole; these have 1 of its words\.\]$/);
    assert.equal(near.inconclusive, true);
    assert.equal((await use(workspace, 'search_text', { pattern: 'reading' })).outcome, 'empty', 'a single word is what it is');
    const list = await use(workspace, 'list_files', { under: 'config' });
    assert.deepEqual([list.outcome, list.content], ['empty', 'There is no file under config. All files of the repository:\na.py\nsrc/b.py']);
    assert.match((await use(workspace, 'list_files', { under: '../x' })).content, /^Error:/, 'a path that leads out stays an error');
  }));

  test('a definition shows its first lines', () => withFolder({ 'a.ts': `\nfunction target() {\n${'  body();\n'.repeat(20)}}\n` }, async (root) => {
    const { content } = await use(new NodeWorkspace(root, ripgrep), 'find_symbol', { name: 'target' });
    assert.match(content, /^a\.ts:2: function target\(\) \{\n3\| {2}body\(\);\n/);
    assert.equal(content.split('\n').length, 13);
  }));

  test('a definition shows where it is used, and a part of a name the lines that hold it', () => withFolder({
    'settings.py': 'PUMP_SECONDS = 12\n', 'controller.py': 'def water():\n  pump(settings.PUMP_SECONDS)\n', 'main.py': 'water()\n# watering\n',
  }, async (root) => {
    const find = (name: string): Promise<ToolResult> => use(new NodeWorkspace(root, ripgrep), 'find_symbol', { name });
    assert.equal((await find('water')).content, 'controller.py:1: def water():\n2|  pump(settings.PUMP_SECONDS)\nUsed in:\nmain.py:1: water()');
    const part = await find('pump_sec');
    assert.deepEqual([part.outcome, part.inconclusive], ['ok', true]);
    assert.match(part.content, /^controller\.py, around line 2:\n1\|def water\(\):\n[^]*settings\.py, around line 1:\n1\|PUMP_SECONDS = 12\n\[pump_sec is part of these lines/);
  }));

  test('nothing found is an empty outcome that says what was looked for', () => withFolder({ 'a.ts': 'x' }, async (root) => {
    const workspace = new NodeWorkspace(root, ripgrep);
    for (const [name, args, message] of [
      ['list_files', { glob: '*.py' }, 'There is no file matching *.py. All files of the repository:\na.ts'], ['search_text', { pattern: 'zzz', glob: '*.ts' }, 'No match for "zzz" in *.ts in this repository.'],
      ['find_symbol', { name: 'zzz' }, 'No definition of zzz found. Use search_text with one of its words.'], ['find_symbol', { name: 'a b' }, '"a b" is not a name. Use search_text for other text.'],
      ['diagnostics', {}, 'Errors and warnings are not known here: there is no editor.'],
    ] as const) {
      const result = await use(workspace, name, args);
      assert.deepEqual([result.outcome, result.content], ['empty', message]);
    }
  }));

  test('diagnostics come with the worst first', async () => {
    const all: Diagnostic[] = [
      { path: 'a.ts', line: 1, severity: 'info', message: 'hint' },
      ...Array.from({ length: 40 }, (_, i) => ({ path: 'b.ts', line: i + 1, severity: 'warning' as const, message: 'unused\nname' })),
      { path: 'c.ts', line: 7, severity: 'error', message: 'wrong type' },
    ];
    const workspace = { root: '/w', diagnostics: () => Promise.resolve(all) } as unknown as WorkspacePort;
    const result = await use(workspace, 'diagnostics');
    assert.match(result.content, /^c\.ts:7: error: wrong type\nb\.ts:1: warning: unused name\n/);
    assert.match(result.content, /\[Truncated: 12 more\./);
  });

  test('a file name with a line break is one entry', () => withFolder({ 'a\nREAD ME.ts': 'x' }, async (root) => {
    assert.equal((await use(new NodeWorkspace(root, ripgrep), 'list_files')).content, 'a\\nREAD ME.ts');
  }));
});
