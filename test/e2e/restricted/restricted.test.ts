import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { screenshot } from '../../support/workbench/page.js';
import { type ScriptedServer, json, scriptedServer } from '../../support/model/scriptedServer.js';
import { chat, openChat, setUserSettings } from '../support/chatPage.js';

/** Command lines of the processes that this extension host has started. */
function childProcesses(): string[] {
  if (process.platform !== 'linux') return [];
  const children = readdirSync(`/proc/${process.pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${process.pid}/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean));
  return children.map((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    } catch {
      return ''; // ended in between
    }
  });
}

const pwned = (): string => join(vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '', 'pwned');

const ours = (commandLine: string): boolean => /sidecar|languageServer[/\\]main|mcp[/\\]client|touch|[/\\]rg(\.exe)? /.test(commandLine);

suite('a workspace that is not trusted', function () {
  this.timeout(60_000);
  let canary: ScriptedServer;

  suiteSetup(async () => {
    canary = await scriptedServer((_request, response) => json(response, { data: [{ id: 'canary' }] }));
    await setUserSettings({
      'loupe.endpoint.url': `${canary.origin}/v1`,
      'loupe.mcp.servers': { mine: { command: 'touch', args: [pwned()] }, remote: { url: `${canary.origin}/mcp` } },
    });
  });
  suiteTeardown(() => canary.close());

  test('the chat says that it is restricted and offers to manage trust', async () => {
    assert.equal(vscode.workspace.isTrusted, false);
    await openChat();
    await chat.waitFor('.obstacle:has-text("Restricted")');
    await screenshot('restricted');
  });

  test('no command starts a process or opens a connection, hidden ones neither', async () => {
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(join(vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '', 'main.ts')));
    for (const command of ['loupe.explain', 'loupe.fix', 'loupe.reviewChanges', 'loupe.commitMessage', 'loupe.auditMemory', 'loupe.restartSidecar', 'loupe.chooseModel', 'loupe.undoTurn', 'loupe.restoreCheckpoint', 'loupe.mcpServers']) {
      // Its refusal is a message with buttons, which waits for the user.
      void vscode.commands.executeCommand(command);
    }
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    assert.deepEqual(childProcesses().filter(ours), []);
    assert.equal(canary.requests.length, 0);
    assert.equal(existsSync(pwned()), false, 'no MCP server of anybody was started');
    assert.equal(existsSync(join(process.env['LOUPE_CACHE'] ?? '', 'run')), false, 'no sidecar state was made');
  });

  test('settings of the workspace change nothing', () => {
    const inspected = vscode.workspace.getConfiguration().inspect<string>('loupe.endpoint.url');
    assert.equal(inspected?.globalValue, `${canary.origin}/v1`);
    assert.notEqual(vscode.workspace.getConfiguration().get('loupe.endpoint.url'), 'http://127.0.0.1:9/from-the-repository');
  });
});
