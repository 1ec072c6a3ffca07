import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { screenshot } from '../../support/workbench/page.js';
import { answered, chat, modelTimeout, openChat, trace } from '../support/chatPage.js';

/** Time to read about 1,000 tokens. A busy machine reads fewer before Return, never none. */
const typingMs = 20_000;

suite('a question that is typed slowly (real 0.5B model)', function () {
  this.timeout(2 * modelTimeout);

  test('is read while it is typed, and the trace says so', async () => {
    await openChat();
    await chat.waitFor('.model-pill.ready', { timeout: modelTimeout });
    await chat.fill('textarea[aria-label="Question"]', 'What does the file src/server.ts do, and ');
    await new Promise((resolve) => setTimeout(resolve, typingMs));
    await chat.fill('textarea[aria-label="Question"]', 'What does the file src/server.ts do, and why?');
    await chat.click('button[aria-label="Ask"]', { timeout: modelTimeout });
    await answered();
    await vscode.commands.executeCommand('loupe.showTrace');
    await trace.waitFor('.details', { timeout: 30_000 });
    await screenshot('trace-typing');
    const shown = (await trace.texts('.details')).join('\n');
    const read = /([\d,]+) read while you typed/.exec(shown)?.[1]?.replace(',', '');
    assert.ok(Number(read) > 0, shown);
  });
});
