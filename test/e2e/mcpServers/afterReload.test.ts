import assert from 'node:assert/strict';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { ScriptedServer } from '../../support/model/scriptedServer.js';
import { answered, ask, chat, openChat, trace, workspaceRoot } from '../support/chatPage.js';
import { callThen, useScriptedModel } from '../support/scriptedModel.js';

suite('MCP servers in the next window', function () {
  this.timeout(90_000);
  let server: ScriptedServer;
  suiteSetup(async () => {
    server = await useScriptedModel(callThen('mcp_files_list_directory', { path: join(workspaceRoot(), 'src') }, 'These are the files.'));
    await openChat();
    await vscode.commands.executeCommand('loupe.newChat');
  });
  suiteTeardown(() => server.close());

  test('tools are known without a start; the first call starts the server, which the trace shows between decision and tool', async () => {
    await ask('What is in src?');
    await chat.waitFor('button[data-approval]', { timeout: 60_000 });
    await chat.click('button[data-approval]');
    assert.match(await answered(), /These are the files/);
    await vscode.commands.executeCommand('loupe.showTrace');
    await trace.waitFor('[data-row="hop1tool0"] .segment.start', { timeout: 30_000 });
    assert.equal(await trace.count('[data-row="start0"]'), 0);
    await trace.click('[data-row="hop1tool0"]');
    await trace.waitFor('.details:has-text("cold start of files")');
  });
});
