import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { press, screenshot, type, workbench } from '../../support/workbench/page.js';
import type { ScriptedServer } from '../../support/model/scriptedServer.js';
import { answered, ask, chat, openChat, settled, until } from '../support/chatPage.js';
import { repository } from '../support/git.js';
import { clearNotices, noticeWith } from '../support/notices.js';
import { type Reply, useScriptedModel } from '../support/scriptedModel.js';

const path = 'src/config/webhookDelivery.ts';
const question = 'textarea[aria-label="Question"]';

suite('two folders in one window (scripted endpoint)', function () {
  this.timeout(60_000);
  let server: ScriptedServer;
  let next: (results: number) => Reply = () => ({ text: 'Nothing.' });

  const folder = (name: string): string => {
    const found = vscode.workspace.workspaceFolders?.find((f) => f.uri.fsPath.endsWith(name));
    assert.ok(found, name);
    return found.uri.fsPath;
  };
  const parcels = (): string => join(folder('workspace'), path);
  const warehouse = (): string => join(folder('warehouse'), path);
  const show = async (file: string): Promise<vscode.TextEditor> => {
    const editor = await vscode.window.showTextDocument(vscode.Uri.file(file), { viewColumn: vscode.ViewColumn.One, preview: false });
    await until(() => vscode.window.activeTextEditor?.document.uri.fsPath === file, `${file} is the active editor`);
    return editor;
  };
  const inPill = (name: string): Promise<void> => chat.waitFor(`.folder-pill:has-text("${name}")`);
  const sent = (): readonly { role: string; content: string | null }[] =>
    (JSON.parse(server.requests.findLast((r) => r.path.endsWith('/chat/completions'))?.body ?? '{}') as { messages: { role: string; content: string | null }[] }).messages;
  const reading: typeof next = (results) => (results === 0
    ? { call: 'read_file', arguments: { path } }
    : { text: `It is in [the settings](${path}).` });

  suiteSetup(async () => {
    await until(() => vscode.workspace.workspaceFolders?.length === 2, 'both folders are open', 30_000);
    server = await useScriptedModel((messages) => {
      const begin = messages.findLastIndex((m) => m.role === 'user');
      return next(messages.slice(begin).filter((m) => m.role === 'tool').length);
    });
    await openChat();
    await chat.waitFor('button.model-pill.remote');
  });
  suiteTeardown(() => server.close());
  teardown(clearNotices);

  test('the chat says which folder it works in, and follows the editor while it is empty', async () => {
    await inPill('parcels');
    await show(warehouse());
    await inPill('warehouse');
    await screenshot('folders-header');
  });

  test('its tools read there, and it stays there when another editor is shown; a path of its answer opens the right file', async () => {
    next = reading;
    await ask('How often?');
    await answered();
    const results = sent().filter((m) => m.role === 'tool').map((m) => m.content).join('\n');
    assert.match(results, /maxAttempts: 3/);
    assert.doesNotMatch(results, /maxAttempts: 7/);
    await show(parcels());
    await inPill('warehouse');
    await chat.click('article.turn:last-of-type .markdown a[role="link"]');
    await until(() => vscode.window.activeTextEditor?.document.uri.fsPath === warehouse(), 'the file of the warehouse is shown');
  });

  test('an edit is written there, and nowhere else', async () => {
    await show(parcels());
    const before = readFileSync(parcels(), 'utf8');
    next = (results) => (results === 0 ? { call: 'propose_edit', arguments: { path, old: '  maxAttempts', new: '  // told once\n  maxAttempts' } } : { text: 'Done.' });
    await ask('Say so.');
    await chat.waitFor('button[data-approval]');
    await screenshot('folders-edit');
    await chat.click('button[data-approval]');
    await answered();
    assert.match(readFileSync(warehouse(), 'utf8'), /told once/);
    assert.equal(readFileSync(parcels(), 'utf8'), before);
  });

  test('@ offers files of that folder; a selection of the other one is not taken for its own', async () => {
    const editor = await show(parcels());
    editor.selection = new vscode.Selection(0, 0, 2, 5);
    await chat.click(question);
    await type('@s');
    await chat.waitFor('[role="option"]:has-text("shelves.ts")');
    assert.equal((await chat.texts('[role="option"]')).some((option) => option.includes('shops.ts')), false);
    await screenshot('folders-mention');
    await chat.fill(question, '');
    await type('@selection');
    await press('Enter');
    await chat.waitFor('.composer:has-text("The selection is in parcels")');
    await screenshot('folders-selection');
    await chat.fill(question, '');
    next = () => ({ text: 'Seen.' });
    await type('@webhook');
    await chat.waitFor('[role="option"]:has-text("webhookDelivery.ts")');
    await press('Enter');
    await type('What is this?');
    await press('Enter');
    await until(() => sent().at(-1)?.content?.includes('What is this?') === true, 'the question is asked');
    await answered();
    assert.match(sent().at(-1)?.content ?? '', /maxAttempts: 3/);
  });

  test('another folder is chosen beside the question, by keyboard, and begins a new chat', async () => {
    await chat.click('.folder-pill');
    await workbench.waitFor('.quick-input-widget .monaco-list-row:has-text("warehouse")');
    await settled();
    await screenshot('folders-choose');
    await type('parcels');
    await press('Enter');
    await inPill('parcels');
    assert.equal(await chat.count('article.turn'), 0);
    await show(warehouse());
    await inPill('parcels');
    next = reading;
    await ask('How often?');
    await answered();
    assert.match(sent().filter((m) => m.role === 'tool').map((m) => m.content).join('\n'), /maxAttempts: 7/);
  });

  test('a command on code works in the folder of that code, in a chat of its own', async () => {
    const editor = await show(warehouse());
    editor.selection = new vscode.Selection(1, 0, 3, 5);
    next = () => ({ text: 'Explained.' });
    await vscode.commands.executeCommand('loupe.explain');
    await answered();
    await inPill('warehouse');
    assert.equal(await chat.count('article.turn'), 1);
    assert.match(sent().at(-1)?.content ?? '', /maxAttempts: 3/);
  });

  test('the commit message is that of the folder in use: never written into the other repository', async () => {
    const { inputBox } = await repository();
    inputBox.value = '';
    writeFileSync(parcels(), `${readFileSync(parcels(), 'utf8')}// changed\n`);
    const choosing = vscode.commands.executeCommand('loupe.chooseFolder');
    await workbench.waitFor('.quick-input-widget .monaco-list-row.focused:has-text("The folder of the active editor")');
    await press('Enter');
    await choosing;
    await show(warehouse());
    void vscode.commands.executeCommand('loupe.commitMessage');
    await noticeWith('warehouse is not a Git repository');
    await screenshot('folders-no-git');
    assert.equal(inputBox.value, '');
    await show(parcels());
    next = () => ({ text: 'Say that it changed' });
    await vscode.commands.executeCommand('loupe.commitMessage');
    assert.equal(inputBox.value, 'Say that it changed');
  });
});
