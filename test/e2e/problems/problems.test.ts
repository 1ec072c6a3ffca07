import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { screenshot, workbench } from '../../support/workbench/page.js';
import { json, scriptedServer } from '../../support/model/scriptedServer.js';
import { answered, ask, chat, openChat, setUserSettings, until } from '../support/chatPage.js';

suite('what can be missing or broken', function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), 'loupe-bad-'));
  suiteTeardown(() => rmSync(folder, { recursive: true, force: true }));

  test('no model: the chat says so and offers to choose one', async () => {
    await openChat();
    await chat.waitFor('.obstacle button:has-text("Choose Model")', { timeout: 30_000 });
    await screenshot('no-model');
    await chat.click('.obstacle button:has-text("Choose Model")');
    await workbench.waitFor('.quick-input-widget .quick-input-list-entry', { timeout: 30_000 });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await screenshot('choose-model');
    const entries = (await workbench.texts('.quick-input-widget .monaco-list-row')).join('\n');
    assert.match(entries, /Automatic/);
    assert.match(entries, /Qwen2\.5-Coder|Gemma/);
    await vscode.commands.executeCommand('workbench.action.closeQuickOpen');
  });

  test('a model that LM Studio has downloaded: offered by its name, chosen by its path', async function () {
    if (process.platform === 'win32') this.skip(); // the home folder is the real one there
    const folder = join(homedir(), '.lmstudio', 'models', 'publisher', 'repo');
    const file = join(folder, 'small-instruct.gguf');
    mkdirSync(folder, { recursive: true });
    try {
      copyFileSync(join(process.env['LOUPE_E2E_MODELS'] ?? '', 'smollm2-135m-instruct-q4_1.gguf'), file);
      await vscode.commands.executeCommand('loupe.newChat');
      await setUserSettings({ 'loupe.model.contextSize': 1024 }); // chooses again
      await chat.waitFor('.obstacle:has-text("LM Studio has publisher/repo/small-instruct")', { timeout: 30_000 });
      await screenshot('other-program');
      await chat.click('.obstacle button:has-text("Choose Model")');
      const row = '.quick-input-widget .monaco-list-row:has-text("LM Studio: publisher/repo/small-instruct")';
      await workbench.waitFor(row, { timeout: 30_000 });
      await screenshot('choose-model-of-others');
      await workbench.click(row);
      await until(() => vscode.workspace.getConfiguration().get('loupe.model.chat') === file, 'the setting has its path');
      await chat.waitFor('button.model-pill.ready', { timeout: 60_000 });
      assert.deepEqual(readdirSync(folder), ['small-instruct.gguf'], 'nothing is written beside it');
    } finally {
      await setUserSettings({ 'loupe.model.chat': undefined, 'loupe.model.contextSize': undefined });
      rmSync(join(homedir(), '.lmstudio'), { recursive: true });
    }
  });

  const turnText = async (question: string): Promise<string> => {
    await openChat();
    await ask(question);
    return answered();
  };

  test('a file that is not GGUF', async () => {
    const file = join(folder, 'text.gguf');
    writeFileSync(file, 'this is no model');
    await setUserSettings({ 'loupe.model.chat': file });
    await openChat();
    await chat.waitFor('.obstacle', { timeout: 30_000 });
    await screenshot('not-gguf');
    assert.match((await chat.texts('.obstacle')).join(' '), /not a usable GGUF/);
  });

  test('a GGUF file that is cut off', async () => {
    const file = join(folder, 'cut.gguf');
    const header = Buffer.alloc(24);
    header.write('GGUF');
    header.writeUInt32LE(3, 4);
    header.writeBigUInt64LE(10n, 8);
    header.writeBigUInt64LE(5n, 16);
    writeFileSync(file, header);
    await setUserSettings({ 'loupe.model.chat': file });
    await chat.waitFor('.obstacle:has-text("cut")', { timeout: 30_000 });
    assert.match((await chat.texts('.obstacle')).join(' '), /cut|incomplete|truncated|ends/i);
  });

  test('an endpoint that is down', async () => {
    await setUserSettings({ 'loupe.endpoint.url': 'http://127.0.0.1:9/v1', 'loupe.model.chat': 'endpoint' });
    await openChat();
    await chat.waitFor('.obstacle:has-text("127.0.0.1:9")', { timeout: 30_000 });
    await screenshot('endpoint-down');
  });

  test('an endpoint that answers nonsense: the turn ends with the reason, and the question is kept', async () => {
    const server = await scriptedServer((request, response) => {
      if (request.path.endsWith('/models')) json(response, { data: [{ id: 'odd' }] });
      else {
        response.writeHead(200, { 'content-type': 'text/html' });
        response.end('<html>Welcome to nginx</html>');
      }
    });
    await setUserSettings({ 'loupe.endpoint.url': `${server.origin}/v1` });
    await chat.waitFor('button.model-pill.remote', { timeout: 30_000 });
    const text = await turnText('Is anybody there?');
    await server.close();
    await screenshot('endpoint-nonsense');
    assert.match(text, /Is anybody there\?/);
    assert.match(text, /endpoint/i);
    assert.match(text, /Retry/);
  });

  test('the memory audit without a local model says what to do', async () => {
    await setUserSettings({ 'loupe.model.chat': 'auto' });
    await vscode.commands.executeCommand('loupe.showLog');
    await vscode.commands.executeCommand('workbench.action.closePanel');
    void vscode.commands.executeCommand('loupe.auditMemory');
    await openChat();
    await chat.waitFor('.obstacle button:has-text("Choose Model")', { timeout: 30_000 });
  });
});
