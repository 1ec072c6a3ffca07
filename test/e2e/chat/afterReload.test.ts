import assert from 'node:assert/strict';
import { screenshot } from '../../support/workbench/page.js';
import { chat, openChat } from '../support/chatPage.js';

suite('after a reload', () => {
  test('the conversation is there, with its answer', async () => {
    await openChat();
    await chat.waitFor('article.turn footer.gate', { timeout: 30_000 });
    const [text] = await chat.texts('article.turn');
    assert.match(text ?? '', /src\/server\.ts/);
    await screenshot('chat-after-reload');
  });
});
