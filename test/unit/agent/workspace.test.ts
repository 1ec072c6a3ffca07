import assert from 'node:assert/strict';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NodeWorkspace } from '../../../src/agent/workspace/nodeWorkspace.js';
import { codeOf, ripgrep, withFolder } from './support/folder.js';

const signal = new AbortController().signal;
const open = (root: string): NodeWorkspace => new NodeWorkspace(root, ripgrep);

suite('workspace on disk (real ripgrep)', () => {
  const files = {
    'src/a.ts': 'export function load(): void {}\nload();\n', 'src/b.tsx': 'const x = 1;\n', 'README.md': 'Load *it*\n', 'ignored/c.ts': 'load\n',
    '.gitignore': 'ignored/\n*.log\n', 'x.log': 'load', '.env': 'KEY=load', '.env.example': 'KEY=load', '.github/ci.yml': 'load: 1\n', '.git/config': 'load',
  };

  test('lists files sorted, without ignored and secret ones', () => withFolder(files, async (root) => {
    const { paths, truncated } = await open(root).listFiles({ limit: 99 }, signal);
    assert.deepEqual(paths, ['.env.example', '.github/ci.yml', '.gitignore', 'README.md', 'src/a.ts', 'src/b.tsx']);
    assert.equal(truncated, false);
  }));

  test('globs narrow the list and bring nothing ignored or secret back', () => withFolder(files, async (root) => {
    const list = async (glob: string, under?: string): Promise<readonly string[]> => (await open(root).listFiles({ glob, limit: 99, ...(under ? { under } : {}) }, signal)).paths;
    assert.deepEqual(await list('*.ts'), ['src/a.ts']);
    assert.deepEqual(await list('src/**/*.{ts,tsx}'), ['src/a.ts', 'src/b.tsx']);
    assert.deepEqual(await list('src/'), ['src/a.ts', 'src/b.tsx']);
    assert.deepEqual(await list('.env'), []);
    assert.deepEqual(await list('*.log'), []);
    assert.deepEqual(await list('*', 'src'), ['src/a.ts', 'src/b.tsx']);
    assert.equal(await codeOf(list('*', 'nowhere')), 'path.notFound');
  }));

  test('stops at the limit and says so', () => withFolder(files, async (root) => {
    assert.deepEqual(await open(root).listFiles({ limit: 2 }, signal), { paths: ['.env.example', '.github/ci.yml'], truncated: true });
    assert.deepEqual((await open(root).listFiles({ limit: 6 }, signal)).truncated, false);
  }));

  test('searches plain text by default and regular expressions on demand', () => withFolder(files, async (root) => {
    const search = async (pattern: string, more: { regex?: boolean; caseSensitive?: boolean; glob?: string; limit?: number } = {}): Promise<string[]> => {
      const found = await open(root).searchText({ pattern, regex: false, caseSensitive: false, limit: 99, ...more }, signal);
      return found.matches.map(({ path, line, text }) => `${path}:${line}:${text}`);
    };
    assert.deepEqual(await search('*it*'), ['README.md:1:Load *it*']);
    assert.deepEqual(await search('^load\\(', { regex: true }), ['src/a.ts:2:load();']);
    assert.deepEqual(await search('Load', { caseSensitive: true }), ['README.md:1:Load *it*']);
    assert.deepEqual(await search('load', { glob: '*.yml' }), ['.github/ci.yml:1:load: 1']);
    assert.ok(!(await search('load')).some((match) => /ignored|x\.log|\.env:|\.git\//.test(match)));
    assert.equal(await codeOf(search('(', { regex: true })), 'tool.badArguments');
  }));

  test('matches come in one order, however many there are, and pages of them fit together', () => {
    const names = ['b.ts', 'a.ts', 'a/z.ts', 'a/b/c.ts', 'a-b/c.ts', 'A.ts', 'é.ts', '\u{1d4b3}.ts', '\uffee.ts', 'a b.ts'];
    const text = ['few', ...Array.from({ length: 400 }, (_, i) => `many ${i}`)].join('\n');
    return withFolder(Object.fromEntries(names.map((name) => [name, text])), async (root) => {
      const { paths } = await open(root).listFiles({ limit: 99 }, signal);
      const search = (pattern: string, limit: number) => open(root).searchText({ pattern, regex: false, caseSensitive: true, limit }, signal);
      assert.deepEqual((await search('few', 99)).matches.map(({ path, line }) => `${path}:${line}`), paths.map((path) => `${path}:1`));
      const all = (await search('many', 5_000)).matches;
      assert.deepEqual([all.length, [...new Set(all.map(({ path }) => path))]], [400 * names.length, paths]);
      for (const limit of [1, 100, 401, 1_000, 2_000]) { // up to 401 it searches in order, from 1,000 on it puts in order what it found
        assert.deepEqual(await search('many', limit), { matches: all.slice(0, limit), truncated: true }, String(limit));
      }
    });
  });

  test('attack 9: a pattern is never an option of the search program', () => withFolder({ 'a.txt': '--pre=touch pwned\n--files\n' }, async (root) => {
    for (const pattern of ['--pre=touch pwned', '--files', '-f/etc/passwd', '--', '-e']) {
      const { matches } = await open(root).searchText({ pattern, regex: false, caseSensitive: true, limit: 9 }, signal);
      assert.deepEqual(matches.map(({ text }) => text), ['--pre=touch pwned', '--files'].filter((text) => text.includes(pattern)), pattern);
    }
  }));

  test('a configuration file for the search program has no effect', () => withFolder({ 'a.txt': 'word', rc: '--files-with-matches\n' }, async (root) => {
    process.env['RIPGREP_CONFIG_PATH'] = join(root, 'rc');
    try {
      const { matches } = await open(root).searchText({ pattern: 'word', regex: false, caseSensitive: true, limit: 9 }, signal);
      assert.deepEqual(matches, [{ path: 'a.txt', line: 1, text: 'word' }]);
    } finally {
      delete process.env['RIPGREP_CONFIG_PATH'];
    }
  }));

  test('long lines are cut and CRLF is not part of a line', () => withFolder({ 'a.txt': 'word\r\n', 'min.js': `word${'x'.repeat(5_000_00)}` }, async (root) => {
    const { matches } = await open(root).searchText({ pattern: 'word', regex: false, caseSensitive: true, limit: 9 }, signal);
    assert.equal(matches[0]?.text, 'word');
    assert.ok((matches[1]?.text.length ?? 0) < 400);
  }));

  test('a stop kills the search', () => withFolder({ 'a.txt': 'x' }, async (root) => {
    const controller = new AbortController();
    const search = open(root).searchText({ pattern: 'x', regex: false, caseSensitive: true, limit: 9 }, controller.signal);
    controller.abort();
    await assert.rejects(search, { name: 'AbortError' });
    await assert.rejects(open(root).readFile('a.txt', controller.signal), { name: 'AbortError' });
  }));

  test('a missing search program is an error with a next step', () => withFolder({}, async (root) => {
    assert.equal(await codeOf(new NodeWorkspace(root, join(root, 'no-rg')).listFiles({ limit: 1 }, signal)), 'tool.failed');
  }));

  test('secret files are not read, by whatever name', () => withFolder({ '.env': 'KEY=1' }, async (root) => {
    await symlink('.env', join(root, 'notes.txt'));
    assert.equal(await codeOf(open(root).readFile('.env', signal)), 'tool.refused');
    assert.equal(await codeOf(open(root).readFile('notes.txt', signal)), 'tool.refused');
  }));

  test('finds definitions in common languages, not their uses', () => withFolder({}, async (root) => {
    const cases: readonly [file: string, line: string, kind: string | undefined][] = [
      ['a.ts', 'export async function target(a: number): Promise<void> {', 'function'],
      ['a.ts', 'export default class target extends Base {', 'class'],
      ['a.ts', 'export const target = async (a) => {', 'function'],
      ['a.ts', 'const target: Map<string, number> = new Map();', 'constant'],
      ['a.ts', '  private async target<T>(a: T): Promise<T> {', 'method'],
      ['a.ts', '  target(a: number): void {', 'method'],
      ['a.ts', 'export type target = string;', 'type'],
      ['a.ts', '  return target(a);', undefined],
      ['a.ts', '  await target(a);', undefined],
      ['a.ts', '  target(a);', undefined],
      ['a.ts', '  other(target);', undefined],
      ['a.ts', '  if (target(a)) {', undefined],
      ['a.ts', "import { target } from './b.js';", undefined],
      ['a.ts', '// function target() {', undefined],
      ['a.py', 'async def target(self):', 'function'],
      ['a.go', 'func (s *Server) target(w http.ResponseWriter) error {', 'function'],
      ['a.rs', 'pub(crate) fn target(&self) -> u32 {', 'function'],
      ['a.java', '  public static final List<String> target(int a) throws IOException {', 'method'],
      ['a.c', '#define target(x) ((x) + 1)', 'macro'],
      ['a.c', 'static int *target(const char *s)', 'method'],
      ['a.cs', 'public record target(string Name);', 'record'],
      ['a.swift', 'protocol target {', 'protocol'],
    ];
    for (const [file, line, kind] of cases) {
      await writeFile(join(root, file), `${line}\n`);
      const found = await open(root).findSymbol('target', 9, signal);
      assert.deepEqual(found.filter(({ path }) => path === file).map((symbol) => symbol.kind), kind === undefined ? [] : [kind], line);
      await writeFile(join(root, file), '');
    }
  }));

  test('types and exported names come first', () => withFolder({ 'a.ts': 'const Job = 1;\n', 'b.ts': 'class Job {}\n', 'c.ts': 'export class Job {}\n' }, async (root) => {
    assert.deepEqual((await open(root).findSymbol('Job', 2, signal)).map(({ path }) => path), ['c.ts', 'b.ts']);
  }));
});
