import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { screenshot } from '../../support/workbench/page.js';
import { answered, ask, chat, modelTimeout, openChat } from '../support/chatPage.js';

/** Process id of the sidecar, as it publishes it for its clients. */
function sidecarPid(): number {
  const folder = join(process.env['LOUPE_CACHE'] ?? '', 'run');
  const file = readdirSync(folder).find((name) => name.endsWith('.json'));
  assert.ok(file, `no sidecar address in ${readdirSync(folder).join(', ')}`);
  return (JSON.parse(readFileSync(join(folder, file), 'utf8')) as { pid: number }).pid;
}

suite('sidecar killed in the middle of an answer (real 1.5B model)', function () {
  this.timeout(modelTimeout + 60_000);

  test('what there is stays, marked partial; retry answers', async () => {
    await vscode.commands.executeCommand('loupe.newChat');
    await openChat();
    await ask('Count from 1 to 500 in words, one per line. Use no tools.');
    await chat.waitFor('article.turn .markdown', { timeout: modelTimeout });
    const killed = sidecarPid();
    process.kill(killed, 'SIGKILL');
    const text = await answered();
    await screenshot('sidecar-killed');
    assert.match(text, /partial answer/);
    await chat.click('article.turn:last-of-type button:has-text("Retry")');
    await chat.waitFor('article.turn[aria-busy="true"]', { timeout: 30_000 });
    await chat.waitFor('article.turn[aria-busy="true"] .markdown', { timeout: modelTimeout });
    assert.notEqual(sidecarPid(), killed);
    await chat.click('button[aria-label="Stop"]');
    await answered();
    await screenshot('sidecar-recovered');
  });
});
