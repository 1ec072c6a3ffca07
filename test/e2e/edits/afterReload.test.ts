import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { screenshot } from '../../support/workbench/page.js';
import { chat, openChat, workspaceRoot } from '../support/chatPage.js';

suite('an approval that waited when the window was closed', () => {
  test('has expired: it is shown, cannot be taken, and nothing of it was carried out', async () => {
    await openChat();
    await chat.waitFor('article.turn:last-of-type .card');
    assert.equal(await chat.count('button[data-approval]'), 0);
    const text = (await chat.texts('article.turn')).at(-1) ?? '';
    assert.match(text, /before a decision/);
    assert.match(text, /partial answer/);
    assert.doesNotMatch(readFileSync(join(workspaceRoot(), 'src/config/webhookDelivery.ts'), 'utf8'), /99/);
    await screenshot('approval-expired');
  });
});
