import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ResourceListChangedNotificationSchema, ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import * as vscode from 'vscode';
import { press, screenshot, workbench } from '../../support/workbench/page.js';
import { setUserSettings, settled, until, workspaceRoot } from '../support/chatPage.js';
import { clearNotices } from '../support/notices.js';

const path = 'src/config/webhookDelivery.ts';
const file = (): string => join(workspaceRoot(), path);
const run = (): string => join(process.env['LOUPE_CACHE'] ?? '', 'run');
const addresses = (): string[] => (existsSync(run()) ? readdirSync(run()).filter((name) => /^window-.*\.json$/.test(name)) : []);
const isProposedDiff = (tab: vscode.Tab): boolean => tab.input instanceof vscode.TabInputTextDiff && tab.input.modified.scheme === 'loupe-edit';
const diffs = (): vscode.Tab[] => vscode.window.tabGroups.all.flatMap((group) => group.tabs).filter(isProposedDiff);

interface Entry { readonly command: string; readonly args: readonly string[]; readonly env: Record<string, string> }
interface Called { readonly content: readonly { readonly text: string }[]; readonly structuredContent?: Record<string, unknown>; readonly isError?: boolean }

/** Chooses a program in the list of the command, and gives what is then in the clipboard. */
async function copied(label: string): Promise<string> {
  await vscode.env.clipboard.writeText('');
  const copying = vscode.commands.executeCommand('loupe.copyMcpConfiguration');
  await workbench.waitFor(`.quick-input-widget .monaco-list-row:has-text("${label}")`);
  await settled();
  await screenshot('mcp-configuration');
  await workbench.click(`.quick-input-widget .monaco-list-row:has-text("${label}")`);
  await copying;
  return vscode.env.clipboard.readText();
}

suite('the workspace for other assistants', function () {
  this.timeout(90_000);
  let client: Client;
  const call = async (name: string, args: Record<string, unknown> = {}, signal?: AbortSignal): Promise<Called> =>
    await client.callTool({ name, arguments: args }, undefined, signal ? { signal } : undefined) as unknown as Called;

  suiteTeardown(() => client?.close());
  teardown(clearNotices);

  test('the editor lists the server, starts it and has its tools', async () => {
    await until(() => addresses().length === 1, 'the window is offered', 30_000);
    void vscode.commands.executeCommand('workbench.mcp.listServer');
    await workbench.waitFor('.quick-input-widget .monaco-list-row:has-text("Loupe: workspace")', { timeout: 30_000 });
    await settled();
    await screenshot('mcp-servers');
    await press('Escape');
    await vscode.commands.executeCommand('workbench.mcp.startServer', 'loupe.loupe/Loupe: workspace', { waitForLiveTools: true });
    const named = (name: string): boolean => vscode.lm.tools.some((tool) => tool.name.includes(name));
    await until(() => named('open_editors') && named('propose_edit'), 'the editor has the tools', 30_000);
  });

  test('the copied configuration starts a server that attaches to this window', async () => {
    const { mcpServers } = JSON.parse(await copied('Claude')) as { mcpServers: Record<string, Entry> };
    const [name] = Object.keys(mcpServers);
    assert.equal(name, 'loupe-workspace');
    const { command, args, env } = mcpServers[name ?? '']!;
    assert.equal(args[0], join(process.env['LOUPE_CACHE'] ?? '', 'bin', 'loupe-mcp.mjs'), 'a path that no update changes');
    client = new Client({ name: 'Some Assistant', version: '1' });
    await client.connect(new StdioClientTransport({ command, args: [...args], env: { ...process.env as Record<string, string>, ...env }, stderr: 'inherit' }));
    assert.ok((await client.listTools()).tools.length >= 15);
  });

  test('a client reads what is typed and not saved, and sees what is selected', async () => {
    const editor = await vscode.window.showTextDocument(vscode.Uri.file(file()), { preview: false });
    await editor.edit((edit) => edit.insert(new vscode.Position(0, 0), '// typed, not saved\n'));
    editor.selection = new vscode.Selection(0, 3, 0, 8);
    assert.doesNotMatch(readFileSync(file(), 'utf8'), /typed, not saved/);
    const read = await call('read_file', { path });
    assert.deepEqual([read.structuredContent?.['unsaved'], /^\/\/ typed, not saved\n/.test(read.structuredContent?.['text'] as string)], [true, true]);
    assert.match((await call('search_text', { pattern: 'typed, not saved' })).content[0]?.text ?? '', /webhookDelivery\.ts:1:/);
    assert.match((await call('search_text', { pattern: 'typed, not saved', glob: '*.ts' })).content[0]?.text ?? '', /webhookDelivery\.ts:1:/);
    assert.equal((await call('search_text', { pattern: 'typed, not saved', glob: '*.md' })).content[0]?.text, 'No match.');
    const { editors } = (await call('open_editors')).structuredContent as { editors: { path: string; active: boolean; unsaved: boolean; selection: { text: string } }[] };
    assert.deepEqual([editors[0]?.path, editors[0]?.active, editors[0]?.unsaved, editors[0]?.selection.text], [path, true, true, 'typed']);
    const { contents } = await client.readResource({ uri: vscode.Uri.file(file()).toString() });
    assert.match((contents[0] as { text: string }).text, /typed, not saved/);
    assert.equal((await call('read_file', { path: '../x' })).isError, true);
    await vscode.commands.executeCommand('workbench.action.files.revert');
  });

  test('problems, references and tasks are those of the editor', async () => {
    const collection = vscode.languages.createDiagnosticCollection('test');
    collection.set(vscode.Uri.file(file()), [new vscode.Diagnostic(new vscode.Range(1, 0, 1, 3), 'wrong here', vscode.DiagnosticSeverity.Error)]);
    assert.match((await call('diagnostics', { path })).content[0]?.text ?? '', /webhookDelivery\.ts:2: error: wrong here/);
    collection.dispose();
    const { source, references } = (await call('find_references', { name: 'webhookDelivery' })).structuredContent as { source: string; references: unknown[] };
    assert.ok(['languageServer', 'text'].includes(source) && references.length > 0, source);
    const symbols = vscode.languages.registerDocumentSymbolProvider({ pattern: '**/webhookDelivery.ts' }, {
      provideDocumentSymbols: () => [new vscode.DocumentSymbol('delivery', '', vscode.SymbolKind.Constant, new vscode.Range(1, 0, 4, 1), new vscode.Range(1, 0, 1, 5))],
    });
    await until(async () => (await call('file_symbols', { path })).content[0]?.text.includes('constant delivery, lines 2-5') === true, 'the symbols are those of the language server');
    symbols.dispose();
    assert.equal((await call('file_symbols', { path: '../x' })).isError, true);
    assert.equal((await call('list_tasks')).isError, undefined);
    assert.match((await call('git_status')).content[0]?.text ?? '', /Nothing is changed/);
  });

  test('the files that have to do with a name come from the index, which starts when it is first asked', async () => {
    const answer = await call('related_files', { about: 'webhookDelivery notThere' });
    assert.match(answer.content[0]?.text ?? '', /^src\/config\/webhookDelivery\.ts \(named\)\n {2}/);
    const { files, unknown } = answer.structuredContent as { files: { path: string; why: string }[]; unknown: string[] };
    assert.ok(files.some(({ why }) => why === 'uses'), JSON.stringify(files));
    assert.deepEqual(unknown, ['notThere']);
    assert.equal((await call('related_files', { about: '../x' })).isError, true);
  });

  test('a client is told of text that is typed, of problems and of files that come', async () => {
    const heard = new Set<string>();
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void heard.add(params.uri));
    client.setNotificationHandler(ResourceListChangedNotificationSchema, () => void heard.add('list'));
    const uri = vscode.Uri.file(file()).toString();
    for (const resource of [uri, `loupe://diagnostics/${path}`]) await client.subscribeResource({ uri: resource });
    await client.listResources();
    const editor = await vscode.window.showTextDocument(vscode.Uri.file(file()), { preview: false });
    await editor.edit((edit) => edit.insert(new vscode.Position(0, 0), '// told while it is typed\n'));
    await until(() => heard.has(uri), 'typed text is told');
    assert.deepEqual([...heard], [uri]);
    await vscode.commands.executeCommand('workbench.action.files.revert');
    const collection = vscode.languages.createDiagnosticCollection('test');
    collection.set(vscode.Uri.file(file()), [new vscode.Diagnostic(new vscode.Range(1, 0, 1, 3), 'wrong here', vscode.DiagnosticSeverity.Error)]);
    await until(() => heard.has(`loupe://diagnostics/${path}`), 'problems are told');
    collection.dispose();
    const fresh = join(workspaceRoot(), 'fresh.txt');
    writeFileSync(fresh, 'x');
    await until(() => heard.has('list'), 'another list is told');
    rmSync(fresh);
    for (const resource of [uri, `loupe://diagnostics/${path}`]) await client.unsubscribeResource({ uri: resource });
  });

  test('an edit is shown as a diff and written only when the user applies it', async () => {
    const before = readFileSync(file(), 'utf8');
    const edit = { path, old: 'firstPauseMs: 250', new: 'firstPauseMs: 500' };
    const rejected = call('propose_edit', edit);
    await until(() => diffs().length === 1, 'the diff is open');
    await settled();
    await screenshot('mcp-edit');
    await vscode.commands.executeCommand('loupe.rejectEdit');
    assert.deepEqual([(await rejected).isError, (await rejected).structuredContent?.['outcome']], [true, 'refused']);
    assert.equal(readFileSync(file(), 'utf8'), before);
    await until(() => diffs().length === 0, 'the diff is closed');
    const accepted = call('propose_edit', edit);
    await until(() => diffs().length === 1, 'the diff is open again');
    await vscode.commands.executeCommand('loupe.acceptEdit');
    assert.equal((await accepted).structuredContent?.['outcome'], 'ok');
    assert.equal(readFileSync(file(), 'utf8'), before.replace('250', '500'));
    await until(() => diffs().length === 0, 'the second diff is closed');
    const controller = new AbortController();
    const withdrawn = call('propose_edit', { ...edit, old: 'firstPauseMs: 500', new: 'firstPauseMs: 750' }, controller.signal);
    await until(() => diffs().length === 1, 'a third diff is open');
    controller.abort();
    await assert.rejects(withdrawn);
    await until(() => diffs().length === 0, 'it is closed when who asked is gone');
  });

  test('nothing runs unless the user allows it', async () => {
    // Dialogs are refused while tests drive the workbench: that is no permission.
    const asked = await call('run_command', { command: 'touch pwned' });
    assert.equal(asked.isError, true);
    assert.equal(existsSync(join(workspaceRoot(), 'pwned')), false);
    const long = await call('run_command', { command: `ls${' '.repeat(2_000)}; touch pwned` });
    assert.match(long.content[0]?.text ?? '', /too long to be shown/);
  });

  test('over HTTP once it is switched on', async () => {
    await setUserSettings({ 'loupe.mcp.http.enabled': true });
    const written = (): string | undefined => readdirSync(run()).find((name) => /^mcp-http-.*\.json$/.test(name));
    await until(() => written() !== undefined, 'the server listens', 30_000);
    const { port, token } = JSON.parse(readFileSync(join(run(), written() ?? ''), 'utf8')) as { port: number; token: string };
    const overHttp = new Client({ name: 'Another', version: '1' });
    await overHttp.connect(new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${port}/mcp`), { requestInit: { headers: { Authorization: `Bearer ${token}` } } }));
    assert.ok((await overHttp.listTools()).tools.some(({ name }) => name === 'open_editors'));
    await overHttp.close();
    const { servers } = JSON.parse(await copied('VS Code over HTTP')) as { servers: Record<string, { url: string; headers: Record<string, string> }> };
    assert.deepEqual(Object.values(servers)[0], { type: 'http', url: `http://127.0.0.1:${port}/mcp`, headers: { Authorization: `Bearer ${token}` } });
    await setUserSettings({ 'loupe.mcp.http.enabled': undefined });
    await until(async () => !(await fetch(`http://127.0.0.1:${port}/mcp`).then(() => true, () => false)), 'nobody listens any more');
  });

  test('switched off, the window answers nobody, and says so to who asks', async () => {
    await setUserSettings({ 'loupe.mcp.server.enabled': false });
    await until(() => addresses().length === 0, 'the window is not offered any more');
    const refused = await call('read_file', { path });
    assert.deepEqual([refused.isError, /No window of VS Code offers/.test(refused.content[0]?.text ?? '')], [true, true]);
    await setUserSettings({ 'loupe.mcp.server.enabled': undefined });
    await until(() => addresses().length === 1, 'the window is offered again');
    assert.equal((await call('read_file', { path })).isError, undefined);
  });
});
