import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { screenshot } from '../../support/workbench/page.js';
import type { ScriptedServer } from '../../support/model/scriptedServer.js';
import { answered, ask, chat, openChat, trace, until, workspaceRoot } from '../support/chatPage.js';
import { callThen, useScriptedModel } from '../support/scriptedModel.js';

const path = 'src/config/webhookDelivery.ts';
const file = (): string => join(workspaceRoot(), path);
const onDisk = (): string => readFileSync(file(), 'utf8');
const isProposedDiff = (tab: vscode.Tab): boolean => tab.input instanceof vscode.TabInputTextDiff && tab.input.modified.scheme === 'loupe-edit';
const diffs = (): vscode.Tab[] => vscode.window.tabGroups.all.flatMap((group) => group.tabs).filter(isProposedDiff);

const edit = { path, old: 'firstPauseMs: 250', new: 'firstPauseMs: 500' };

/** Asks, and waits until the edit waits for a decision with its diff open. */
async function propose(): Promise<void> {
  await openChat();
  await ask('Wait longer at first.');
  await chat.waitFor('button[data-approval]');
  await until(() => diffs().length === 1, 'the diff of the proposed edit is open');
}

suite('decisions about edits (scripted endpoint)', function () {
  this.timeout(90_000);
  let server: ScriptedServer;
  let original: string;

  suiteSetup(async () => {
    original = onDisk();
    server = await useScriptedModel(callThen('propose_edit', edit, 'The first pause is longer now.'));
  });
  suiteTeardown(() => server.close());

  test('the preview shows both texts, and nothing is written before the decision', async () => {
    await propose();
    const tab = diffs()[0];
    assert.ok(tab?.input instanceof vscode.TabInputTextDiff);
    const [before, after] = await Promise.all([tab.input.original, tab.input.modified].map((uri) => vscode.workspace.openTextDocument(uri)));
    assert.equal(before?.getText(), original);
    assert.equal(after?.getText(), original.replace('250', '500'));
    assert.equal(after?.languageId, 'typescript');
    assert.equal(onDisk(), original);
    await screenshot('edit-preview');
  });

  test('the approval survives a view that is hidden and shown again', async () => {
    await vscode.commands.executeCommand('workbench.action.closeAuxiliaryBar');
    await openChat();
    await chat.waitFor('button[data-approval]');
  });

  test('reject leaves the file byte-equal and closes the diff', async () => {
    await vscode.commands.executeCommand('loupe.rejectEdit');
    await answered();
    assert.equal(onDisk(), original);
    await until(() => diffs().length === 0, 'the diff is closed');
    const seen = JSON.parse(server.requests.at(-1)?.body ?? '{}') as { messages: { role: string; content: string }[] };
    assert.match(seen.messages.at(-1)?.content ?? '', /rejected/);
  });

  test('the trace says that a call waits, and leads to the decision, whatever the chat shows', async () => {
    await propose();
    await vscode.commands.executeCommand('loupe.newChat');
    await until(async () => (await chat.count('article.turn')) === 0, 'another conversation is shown');
    await vscode.commands.executeCommand('loupe.showTrace');
    await trace.waitFor('[data-row="hop1tool0"]:has-text("waiting for your decision")');
    await trace.waitFor('[data-row="hop1tool0"] .segment.wait.open');
    await screenshot('trace-waiting');
    await trace.click('button:has-text("Decide in the Chat")');
    await chat.waitFor('button[data-approval]:focus');
    await chat.click('.card button:has-text("Reject")');
    await answered();
    await trace.waitFor('[data-row="gate"]:has-text("answered")');
    assert.equal(await trace.count('.segment.open'), 0);
    assert.equal(onDisk(), original);
    await vscode.commands.executeCommand('workbench.action.closePanel');
  });

  test('accept writes a file that no editor has open', async () => {
    await propose();
    await vscode.commands.executeCommand('loupe.acceptEdit');
    await answered();
    assert.equal(onDisk(), original.replace('250', '500'));
    writeFileSync(file(), original);
  });

  test('accept writes an open file through its editor: saved, and undo takes it back', async () => {
    const document = await vscode.workspace.openTextDocument(file());
    await vscode.window.showTextDocument(document);
    await until(() => document.getText() === original, 'the editor has the file as it is on disk');
    await propose();
    await chat.click('button[data-approval]');
    await answered();
    assert.equal(onDisk(), original.replace('250', '500'));
    assert.equal(document.isDirty, false);
    await vscode.window.showTextDocument(document);
    await screenshot('edit-accepted');
    await vscode.commands.executeCommand('undo');
    assert.equal(document.getText(), original);
    await document.save();
  });

  test('a file that changed in between is previewed again, with the change', async () => {
    const document = await vscode.workspace.openTextDocument(file());
    await propose();
    const change = new vscode.WorkspaceEdit();
    change.insert(document.uri, new vscode.Position(0, 0), '// mine\n');
    await vscode.workspace.applyEdit(change);
    const first = await chat.attribute('button[data-approval]', 'data-approval');
    await chat.click('button[data-approval]');
    await until(async () => (await chat.count('button[data-approval]')) === 1 && (await chat.attribute('button[data-approval]', 'data-approval')) !== first, 'a second approval');
    assert.equal(document.getText(), `// mine\n${original}`, 'nothing was applied');
    await chat.click('button[data-approval]');
    await answered();
    assert.equal(onDisk(), `// mine\n${original.replace('250', '500')}`);
    writeFileSync(file(), original);
    await until(() => document.getText() === original, 'the editor follows the disk');
  });

  test('a new file is created only after the decision', async () => {
    const made = join(workspaceRoot(), 'src/made/new.ts');
    await server.close();
    server = await useScriptedModel(callThen('propose_edit', { path: 'src/made/new.ts', new: 'export const made = 1;\n' }, 'Created.'));
    await propose();
    assert.equal(existsSync(made), false);
    await chat.click('button[data-approval]');
    await answered();
    assert.equal(readFileSync(made, 'utf8'), 'export const made = 1;\n');
  });
});
