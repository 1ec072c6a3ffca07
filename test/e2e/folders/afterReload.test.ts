import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { screenshot } from '../../support/workbench/page.js';
import { chat, openChat } from '../support/chatPage.js';

suite('two folders, after a reload', () => {
  test('the chat is still one of its folder, whatever the editor shows', async () => {
    await openChat();
    await chat.waitFor('article.turn:has-text("Explained")');
    await chat.waitFor('.folder-pill:has-text("warehouse")');
    assert.equal(vscode.workspace.workspaceFolders?.length, 2);
    await screenshot('folders-after-reload');
  });
});
