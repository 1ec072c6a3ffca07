import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { screenshot } from '../../support/workbench/page.js';
import type { ScriptedServer } from '../../support/model/scriptedServer.js';
import { answered, ask, chat, openChat, until, workspaceRoot } from '../support/chatPage.js';
import { callThen, useScriptedModel } from '../support/scriptedModel.js';

const hidden = ' '.repeat(300);
const command = `echo visible${hidden}; touch ran.txt`;

suite('commands (scripted endpoint)', function () {
  this.timeout(60_000);
  let server: ScriptedServer;
  const ran = (): boolean => existsSync(join(workspaceRoot(), 'ran.txt'));

  suiteSetup(async () => {
    server = await useScriptedModel(callThen('run_command', { command }, 'I ran it or not.'));
    await openChat();
  });
  suiteTeardown(() => server.close());

  test('are asked for with their full text, blanks made visible', async () => {
    await ask('Run it.');
    await chat.waitFor('button[data-approval]');
    const [shown] = await chat.texts('pre.command');
    assert.match(shown ?? '', /touch ran\.txt/);
    assert.doesNotMatch(shown ?? '', / {20}/, 'a long run of blanks must not look empty');
    await screenshot('command-approval');
    assert.equal(ran(), false);
  });

  test('do not run when they are rejected', async () => {
    await chat.click('.card button:has-text("Reject")');
    await answered();
    assert.equal(ran(), false);
  });

  test('run in the workspace folder when they are accepted', async () => {
    await ask('Run it.');
    await chat.waitFor('button[data-approval]');
    await chat.click('button[data-approval]');
    await answered();
    assert.equal(ran(), true);
  });

  test('links in an answer reach nothing outside of the workspace', async () => {
    await server.close();
    server = await useScriptedModel(() => ({ text: 'See [this](../../../etc/passwd) and ![x](http://127.0.0.1:9/leak.png).' }));
    await ask('Say something with links.');
    await answered();
    assert.equal(await chat.count('.markdown img'), 0);
  });

  test('a bare file name opens the file that it means', async () => {
    await server.close();
    server = await useScriptedModel(() => ({ text: 'It is set in `webhookDelivery.ts`.' }));
    await ask('Where is it set?');
    await answered();
    await chat.click('article.turn:last-of-type .markdown a');
    await until(() => vscode.window.activeTextEditor?.document.fileName.endsWith(join('src', 'config', 'webhookDelivery.ts')) === true, 'the file is open');
  });
});
