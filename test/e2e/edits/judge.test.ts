import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { screenshot } from '../../support/workbench/page.js';
import type { ScriptedServer } from '../../support/model/scriptedServer.js';
import { answered, ask, chat, openChat, until, workspaceRoot } from '../support/chatPage.js';
import { useScriptedModel } from '../support/scriptedModel.js';

const path = 'src/config/webhookDelivery.ts';

/** The rules judge with VS Code's own TypeScript: an answer does not count while the change behind it brought an error. */
suite('an edit that brings an error (scripted endpoint, real language server)', function () {
  this.timeout(120_000);
  let server: ScriptedServer;

  suiteSetup(async () => {
    server = await useScriptedModel((messages) => {
      const last = messages.at(-1);
      if (last?.role === 'tool') return { text: 'It is changed.' };
      const refused = last?.content?.includes('is not accepted yet') === true;
      const [old, replacement] = refused ? ['maxAttempts: seven', 'maxAttempts: 7'] : ['maxAttempts: 7', 'maxAttempts: seven'];
      return { call: 'propose_edit', arguments: { path, old, new: replacement } };
    });
    const uri = vscode.Uri.file(join(workspaceRoot(), path));
    await vscode.window.showTextDocument(uri);
    // The language server starts with the first file; what it says of symbols shows that it is there.
    await until(async () => ((await vscode.commands.executeCommand<unknown[] | undefined>('vscode.executeDocumentSymbolProvider', uri))?.length ?? 0) > 0, 'the language server answers', 60_000);
  });
  suiteTeardown(() => server.close());

  test('the answer goes back with the error and its place, and counts once that is mended', async () => {
    await openChat();
    await ask('Write the number out.');
    for (let i = 0; i < 2; i++) await chat.click('button[data-approval]', { timeout: 30_000 });
    const text = await answered();
    await screenshot('judge');
    const sent = (JSON.parse(server.requests.at(-1)?.body ?? '{}') as { messages: { role: string; content: string | null }[] }).messages;
    const refusal = sent.find(({ role, content }) => role === 'user' && content?.includes('is not accepted yet') === true)?.content ?? '';
    assert.match(refusal, /the change brought 1 new error: src\/config\/webhookDelivery\.ts:3: Cannot find name 'seven'/);
    assert.match(text, /checked: no new errors in src\/config\/webhookDelivery\.ts/);
    assert.match(readFileSync(join(workspaceRoot(), path), 'utf8'), /maxAttempts: 7,/);
  });
});
