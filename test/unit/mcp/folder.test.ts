import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { toolsFor } from '../../../src/mcp/tools/allTools.js';
import { callTool } from '../../support/mcp/served.js';
import { withFolder } from '../agent/support/folder.js';
import { connected, folderWorkspace } from './support.js';

/** All pages of a tool's list. */
async function pages(client: Client, name: string, args: Record<string, unknown>, key: string): Promise<{ readonly items: unknown[]; readonly pages: number }> {
  const items: unknown[] = [];
  for (let count = 1, cursor: unknown; ; count++) {
    const { data } = await callTool(client, name, { ...args, ...(cursor === undefined ? {} : { cursor }) });
    items.push(...data[key] as unknown[]);
    cursor = data['nextCursor'];
    if (cursor === undefined) return { items, pages: count };
  }
}

suite('MCP: a folder without a window', function () {
  this.timeout(20_000);

  test('offers exactly what reads, and says so honestly', () => withFolder({ 'a.ts': 'x' }, async (root) => {
    const client = await connected(folderWorkspace(root));
    const { tools } = await client.listTools();
    assert.deepEqual(tools.map(({ name }) => name), ['list_files', 'read_file', 'search_text', 'find_symbol', 'find_references', 'git_status', 'git_diff', 'git_log', 'git_blame']);
    for (const { annotations, outputSchema, title } of tools) assert.deepEqual([annotations?.readOnlyHint, annotations?.openWorldHint, outputSchema?.type, title !== undefined], [true, false, 'object', true]);
    for (const name of ['propose_edit', 'run_command', 'run_task']) await assert.rejects(callTool(client, name, { command: 'touch pwned', path: 'a.ts', new: '', name: 'x' }), /There is no tool/);
    const writers = toolsFor(true).filter(({ effect }) => effect !== 'read').map(({ name }) => name);
    assert.deepEqual(writers, ['propose_edit', 'run_task', 'run_command']);
    await client.close();
  }));

  test('lists and finds, page by page, without a gap or a repetition', () => withFolder(
    Object.fromEntries(Array.from({ length: 450 }, (_, i) => [`f${String(i).padStart(3, '0')}.ts`, 'needle\n'])), async (root) => {
      const client = await connected(folderWorkspace(root));
      const files = await pages(client, 'list_files', { glob: '*.ts' }, 'files');
      assert.deepEqual([files.pages, files.items.length, new Set(files.items).size], [3, 450, 450]);
      assert.deepEqual(files.items, [...files.items].sort());
      const matches = await pages(client, 'search_text', { pattern: 'needle' }, 'matches');
      assert.deepEqual([matches.pages, new Set((matches.items as { path: string }[]).map(({ path }) => path)).size], [5, 450]);
      const listed: string[] = [];
      for (let cursor: string | undefined; ;) {
        const page = await client.listResources(cursor === undefined ? {} : { cursor });
        listed.push(...page.resources.map(({ uri }) => uri));
        cursor = page.nextCursor;
        if (cursor === undefined) break;
      }
      assert.deepEqual(listed, (files.items as string[]).map((file) => pathToFileURL(join(root, file)).href));
      await client.close();
    }));

  test('a cursor of another question, and one that is made up, are refused', () => withFolder(Object.fromEntries(Array.from({ length: 250 }, (_, i) => [`f${i}.ts`, 'x'])), async (root) => {
    const client = await connected(folderWorkspace(root));
    const { data } = await callTool(client, 'list_files', { glob: '*.ts' });
    for (const cursor of [data['nextCursor'], 'zzz', '', Buffer.from('999999999.000000000000').toString('base64url')]) {
      const { failed, text } = await callTool(client, 'list_files', { glob: '*', cursor });
      assert.deepEqual([failed, /does not belong/.test(text)], [true, true], String(cursor));
    }
    await assert.rejects(client.listResources({ cursor: 'zzz' }), { code: -32602 });
    await assert.rejects(client.listTools({ cursor: 'zzz' }), { code: -32602 });
    await client.close();
  }));

  test('reads lines with their numbers, as much as fits, and says what is left', () => withFolder({ long: Array.from({ length: 3_000 }, (_, i) => `line ${i + 1}`).join('\n'), wide: 'w'.repeat(9_000) }, async (root) => {
    const client = await connected(folderWorkspace(root));
    const first = await callTool(client, 'read_file', { path: 'long' });
    assert.deepEqual([first.data['endLine'], first.data['totalLines'], first.data['truncated']], [1_000, 3_000, true]);
    assert.match(first.text, /^long\n1\|line 1\n[^]*\[lines 1001-3000 are not shown; go on with startLine 1001\]$/);
    const part = await callTool(client, 'read_file', { path: './long', startLine: 2_999, endLine: 9_999 });
    assert.deepEqual(part.data, { path: 'long', text: 'line 2999\nline 3000', startLine: 2_999, endLine: 3_000, totalLines: 3_000, truncated: false, unsaved: false });
    const wide = await callTool(client, 'read_file', { path: 'wide' });
    assert.equal((wide.data['text'] as string).length, 2_001);
    const past = await callTool(client, 'read_file', { path: 'long', startLine: 5_000 });
    assert.deepEqual([past.failed, past.data['text'], past.text], [false, '', 'long\n[the file has 3000 lines]']);
    await client.close();
  }));

  test('definitions and uses', () => withFolder({ 'a.ts': 'export function load() {}\n', 'b.ts': 'load();\nreload();\n' }, async (root) => {
    const client = await connected(folderWorkspace(root));
    const { data } = await callTool(client, 'find_symbol', { name: 'Store.load()' });
    assert.deepEqual(data, { definitions: [{ path: 'a.ts', line: 1, kind: 'function', name: 'load', text: 'export function load() {}' }], truncated: false });
    const uses = await callTool(client, 'find_references', { name: 'load' });
    assert.deepEqual([uses.data['source'], (uses.data['references'] as { path: string }[]).map(({ path }) => path)], ['text', ['a.ts', 'b.ts']]);
    assert.match((await callTool(client, 'find_symbol', { name: 'a b' })).text, /is not a name/);
    await client.close();
  }));

  test('attacks 5, 6, 7: no path leads out, in a tool, a resource or a prompt', () => withFolder({ 'a.txt': 'in', '.env': 'KEY=canary', 'real/x': 'in' }, async (root, base) => {
    await mkdir(join(base, 'app-secret'));
    await writeFile(join(base, 'app-secret/x'), 'canary');
    await symlink(join(base, 'app-secret'), join(root, 'dir'));
    await symlink(join(base, 'app-secret/x'), join(root, 'file'));
    await symlink('.env', join(root, 'harmless.txt'));
    const client = await connected(folderWorkspace(root));
    const paths = [
      '../app-secret/x', join(base, 'app-secret/x'), 'real/../../app-secret/x', 'dir/x', 'file', 'harmless.txt', '.env', '.ENV', '.env.', 'a.txt::$DATA', '~/x', 'C:\\x', '\\\\host\\share',
      '/proc/self/environ', '/dev/stdin', 'a\0b', '..\\app-secret\\x', '',
    ];
    for (const path of paths) {
      const calls = [['read_file', { path }], ['git_blame', { path }]] as const;
      for (const [name, args] of calls) {
        const { failed, text } = await callTool(client, name, args);
        assert.ok(failed && !text.includes('canary'), `${name} ${path}: ${text}`);
      }
      await assert.rejects(client.getPrompt({ name: 'explain', arguments: { path } }), (error: Error) => !error.message.includes('canary'), path);
    }
    const uris = [
      pathToFileURL(join(base, 'app-secret/x')).href, `${pathToFileURL(root).href}/../app-secret/x`, `${pathToFileURL(root).href}/%2e%2e/app-secret/x`, `${pathToFileURL(root).href}/..%2fapp-secret/x`,
      `${pathToFileURL(root).href}/file`, `${pathToFileURL(root).href}/.env`, `${pathToFileURL(root).href}-secret/x`, `file://elsewhere${root}/a.txt`, 'file:///proc/self/environ', 'loupe://diagnostics', 'http://127.0.0.1/', 'file:a.txt', '',
    ];
    for (const uri of uris) await assert.rejects(client.readResource({ uri }), (error: Error) => !error.message.includes('canary') && 'code' in error && error.code === -32002, uri);
    for (const under of ['..', '../app-secret', 'dir']) assert.ok((await callTool(client, 'list_files', { under })).failed, under);
    const { data } = await callTool(client, 'search_text', { pattern: 'canary' });
    assert.deepEqual(data, { matches: [] });
    const listed = await callTool(client, 'list_files');
    assert.ok(!JSON.stringify(listed.data).includes('.env'), listed.text);
    assert.equal((await client.readResource({ uri: pathToFileURL(join(root, 'a.txt')).href })).contents.length, 1);
    await client.close();
  }));

  test('attack 22: hidden characters are shown and counted, in the text and in the data', () => withFolder({ 'a.ts': 'let x = "\u202egnp.\u{e0041}";\n' }, async (root) => {
    const client = await connected(folderWorkspace(root));
    for (const [name, args] of [['read_file', { path: 'a.ts' }], ['search_text', { pattern: 'let' }]] as const) {
      const { text, data } = await callTool(client, name, args);
      for (const shown of [text, JSON.stringify(data)]) {
        assert.ok(shown.includes('u{202e}') && shown.includes('u{e0041}') && !/[\u202e\u{e0041}]/u.test(shown), shown);
      }
      assert.match(text, /\[2 hidden characters are shown as escapes\]$/);
    }
    const { contents } = await client.readResource({ uri: pathToFileURL(join(root, 'a.ts')).href });
    assert.ok(!/[\u202e\u{e0041}]/u.test(JSON.stringify(contents)));
    await client.close();
  }));

  test('arguments that do not fit are told to the model, not to the protocol', () => withFolder({}, async (root) => {
    const client = await connected(folderWorkspace(root));
    for (const args of [{}, { path: 3 }, { path: 'a', startLine: 0 }, { path: 'a', startLine: 1.5 }]) {
      const { failed, text } = await callTool(client, 'read_file', args);
      assert.deepEqual([failed, /^Error: The arguments of read_file do not fit/.test(text)], [true, true], JSON.stringify(args));
    }
    await client.close();
  }));

  test('prompts ask what the palette asks, about the code that is named', () => withFolder({ 'a.ts': 'one\ntwo\nthree\n' }, async (root) => {
    const client = await connected(folderWorkspace(root));
    const { prompts } = await client.listPrompts();
    assert.deepEqual(prompts.map(({ name }) => name), ['explain', 'fix', 'write_tests', 'document', 'review_changes', 'commit_message']);
    const { messages } = await client.getPrompt({ name: 'fix', arguments: { path: 'a.ts', startLine: '2', endLine: '3' } });
    assert.deepEqual(messages[0]?.content, { type: 'text', text: 'Find and fix what is wrong in lines 2-3 of a.ts. Look at the reported problems first, then propose an edit.\n\na.ts, lines 2-3:\n```\ntwo\nthree\n```' });
    await assert.rejects(client.getPrompt({ name: 'fix', arguments: { path: 'a.ts', startLine: 'x' } }), { code: -32602 });
    await assert.rejects(client.getPrompt({ name: 'fix' }), { code: -32602 });
    await client.close();
  }));

  test('paths are completed', () => withFolder({ 'src/deep/name.ts': '', 'src/other.ts': '', 'b.md': '' }, async (root) => {
    const client = await connected(folderWorkspace(root));
    const complete = async (value: string): Promise<readonly string[]> =>
      (await client.complete({ ref: { type: 'ref/prompt', name: 'explain' }, argument: { name: 'path', value } })).completion.values;
    assert.deepEqual(await complete('name'), ['src/deep/name.ts']);
    assert.deepEqual(await complete('src/de'), ['src/deep/name.ts']);
    assert.deepEqual(await complete('../'), []);
    assert.equal((await complete('')).length, 3);
    await client.close();
  }));

  test('a cancelled call ends, and others go on', () => withFolder({ 'a.ts': 'x' }, async (root) => {
    const base = folderWorkspace(root);
    let seen: AbortSignal | undefined;
    const client = await connected(Object.assign(Object.create(base) as typeof base, {
      searchText: (_: unknown, signal: AbortSignal) => new Promise<never>((__, reject) => {
        seen = signal;
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      }),
    }));
    const controller = new AbortController();
    const searching = callTool(client, 'search_text', { pattern: 'x' }, controller.signal);
    assert.equal((await callTool(client, 'read_file', { path: 'a.ts' })).failed, false);
    controller.abort();
    await assert.rejects(searching);
    await callTool(client, 'read_file', { path: 'a.ts' });
    assert.equal(seen?.aborted, true);
    await client.close();
  }));
});
