import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { screenshot, workbench } from '../../support/workbench/page.js';
import { answered, ask, chat, openChat } from '../support/chatPage.js';
import { firstHop, isWarm, readingTimeout } from './memoryPage.js';

suite('a new window, and a sidecar that has read nothing (real 0.5B model)', function () {
  this.timeout(readingTimeout);

  test('is warm as soon as the model is loaded', async () => {
    await vscode.commands.executeCommand('loupe.restartSidecar');
    await openChat();
    await workbench.waitFor(isWarm, { timeout: 60_000 });
  });

  test('a new chat takes it from disk', async () => {
    await vscode.commands.executeCommand('loupe.newChat');
    await openChat();
    await ask('Which file raises alarms? One sentence.');
    await answered();
    const hop = await firstHop();
    await vscode.commands.executeCommand('workbench.action.toggleMaximizedPanel');
    await screenshot('memory-trace-restored');
    await vscode.commands.executeCommand('workbench.action.toggleMaximizedPanel');
    assert.ok(hop.restored > 1_000, hop.shown);
    assert.ok(hop.prefilled < 200, hop.shown);
  });

  test('the chat of before goes on with the blocks that it had', async () => {
    await vscode.commands.executeCommand('loupe.chatHistory');
    await chat.click('.history-open:has-text("What does the controller do?")');
    await chat.waitFor('article.turn footer.gate');
    await ask('And in two words?');
    await chat.waitFor('article.turn:nth-of-type(2)'); // else the answer of before counts
    await answered();
    const hop = await firstHop();
    assert.ok(hop.reused + hop.restored > 1_000, hop.shown);
  });
});
