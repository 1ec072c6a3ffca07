import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { screenshot } from '../../support/workbench/page.js';
import { answered, ask, chat, modelTimeout, openChat, trace } from '../support/chatPage.js';

suite('a question about the repository (real 1.5B model)', function () {
  this.timeout(modelTimeout + 60_000);

  test('is answered with the right file named, after tool calls', async () => {
    await openChat();
    await ask('Which file defines ParcelStore, and which file calls notifyShop?');
    const text = await answered();
    await screenshot('chat-answer');
    assert.match(text.slice(text.indexOf('view trace')), /src\/server\.ts/, 'the answer, not the calls, names the file');
    assert.ok(await chat.count('.tool-line:not(.hop-summary)') >= 2, 'fewer than two tool calls');
    assert.match(text, /answered|Answered/);
  });

  test('the trace panel shows its hops', async () => {
    await vscode.commands.executeCommand('loupe.showTrace');
    await trace.waitFor('body', { timeout: 30_000 });
    await screenshot('trace-hops');
    const shown = (await trace.texts('body')).join('\n');
    assert.match(shown, /model → (?:search_text|find_symbol|list_files|read_file)/u);
    assert.match(shown, /model → answer/u);
    assert.match(shown, /answered/i);
  });
});
