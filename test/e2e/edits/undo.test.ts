import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { screenshot } from '../../support/workbench/page.js';
import type { ScriptedServer } from '../../support/model/scriptedServer.js';
import { answered, ask, chat, openChat, trace, until, workspaceRoot } from '../support/chatPage.js';
import { useScriptedModel } from '../support/scriptedModel.js';

const path = 'src/config/webhookDelivery.ts';
const file = (): string => join(workspaceRoot(), path);
const made = (): string => join(workspaceRoot(), 'src/made.ts');
const onDisk = (): string => readFileSync(file(), 'utf8');

suite('undo and approvals for the session (scripted endpoint)', function () {
  this.timeout(120_000);
  let server: ScriptedServer;
  let original: string;

  suiteSetup(async () => {
    original = onDisk();
    // Two edits in one turn, then the answer.
    server = await useScriptedModel((messages) => {
      const results = messages.slice(messages.findLastIndex(({ role }) => role === 'user')).filter(({ role }) => role === 'tool').length;
      if (results === 0) return { call: 'propose_edit', arguments: { path, old: 'firstPauseMs: 250', new: 'firstPauseMs: 500' } };
      return results === 1 ? { call: 'propose_edit', arguments: { path: 'src/made.ts', new: 'export const made = 1;\n' } } : { text: 'Both are done.' };
    });
    await vscode.commands.executeCommand('loupe.newChat');
    await openChat();
  });
  suiteTeardown(() => server.close());

  test('all edits of the session can be allowed with the first; the trace says why the second was not asked for', async () => {
    await ask('Change both.');
    await chat.waitFor('button[data-remember="session"]');
    await screenshot('approval-session');
    await chat.click('button[data-remember="session"]');
    await answered();
    assert.equal(onDisk(), original.replace('250', '500'));
    assert.ok(existsSync(made()));
    await vscode.commands.executeCommand('loupe.showTrace');
    await trace.click('[data-row="hop2tool0"]');
    await trace.waitFor('.details:has-text("You allowed edits in this folder for this session.")');
    await vscode.commands.executeCommand('workbench.action.closePanel');
  });

  test('Undo Turn takes both back', async () => {
    await chat.click('article.turn:last-of-type button:has-text("Undo Turn")');
    await until(() => onDisk() === original && !existsSync(made()), 'the files are as before the turn');
    await chat.waitFor('.notice:has-text("2 files brought back")');
    await screenshot('turn-undone');
  });
});
