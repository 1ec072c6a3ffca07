import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { press, screenshot, workbench } from '../../support/workbench/page.js';
import { delta, type ScriptedServer } from '../../support/model/scriptedServer.js';
import { setUserSettings, settled, until, workspaceRoot } from '../support/chatPage.js';
import { git, repository } from '../support/git.js';
import { clearNotices, noticeWith, pressInNotice } from '../support/notices.js';
import { useScriptedModel } from '../support/scriptedModel.js';

const message = 'Wait longer before the first retry\n\nShops that restart were called too early.';
const write = (): Thenable<unknown> => vscode.commands.executeCommand('loupe.commitMessage');
const path = 'src/config/webhookDelivery.ts';
const file = (): string => join(workspaceRoot(), path);
const pickRow = (label: string): string => `.quick-input-widget .monaco-list-row:has-text("${label}")`;

suite('the commit message (scripted endpoint)', function () {
  this.timeout(60_000);
  let server: ScriptedServer;
  const lastPrompt = (): string => {
    const seen = JSON.parse(server.requests.findLast((r) => r.path.endsWith('/chat/completions'))?.body ?? '{}') as { messages: { content: string }[] };
    return seen.messages.at(-1)?.content ?? '';
  };

  suiteSetup(async () => {
    server = await useScriptedModel(() => ({ text: message }));
    (await repository()).inputBox.value = '';
  });
  suiteTeardown(() => server.close());
  teardown(clearNotices);

  test('without a change it says that there is none', async () => {
    await write();
    await noticeWith('There are no changes to describe');
    assert.equal(server.requests.length, 0, 'nothing was sent');
  });

  test('describes what is staged, and only that, into the input of Source Control', async () => {
    writeFileSync(file(), 'export const webhookDelivery = {\n  maxAttempts: 7,\n  firstPauseMs: 500,\n};\n');
    git('add', path);
    writeFileSync(join(workspaceRoot(), 'README.md'), 'not staged\n');
    await write();
    const { inputBox } = await repository();
    assert.equal(inputBox.value, message);
    assert.match(lastPrompt(), /\+ {2}firstPauseMs: 500/);
    assert.doesNotMatch(lastPrompt(), /not staged/);
    await workbench.waitFor('.scm-view .scm-input:has-text("Wait longer before the first retry")');
    await screenshot('commit-message');
    assert.equal(git('log', '--oneline').trim().split('\n').length, 1, 'it never commits');
  });

  test('asks before it touches what the user typed: keep, add below, replace', async () => {
    const { inputBox } = await repository();
    const decide = async (label: string): Promise<string> => {
      inputBox.value = 'My own words';
      const done = write();
      await workbench.waitFor(pickRow('Replace'));
      if (label === 'Replace') {
        await settled();
        await screenshot('commit-message-typed');
      };
      assert.equal(inputBox.value, 'My own words', 'nothing changes before the decision');
      if (label === 'Escape') await press('Escape');
      else await workbench.click(pickRow(label));
      await done;
      return inputBox.value;
    };
    assert.equal(await decide('Escape'), 'My own words');
    assert.equal(await decide('Keep what is there'), 'My own words');
    assert.equal(await decide('Add below'), `My own words\n\n${message}`);
    assert.equal(await decide('Replace'), message);
  });

  test('can be cancelled: the input stays, the request ends', async () => {
    const { inputBox } = await repository();
    inputBox.value = '';
    const { answer } = server;
    let open = 0;
    server.answer = (request, response) => {
      if (!request.path.endsWith('/chat/completions')) return answer(request, response);
      open += 1;
      response.on('close', () => { open -= 1; });
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`data: ${JSON.stringify(delta('Half a mess'))}\n\n`);
    };
    const done = write();
    await noticeWith('Loupe writes a commit message');
    await until(() => open === 1, 'the model is asked');
    await screenshot('commit-message-progress');
    await pressInNotice('Loupe writes a commit message', 'Cancel');
    await done;
    await until(() => open === 0, 'the request has ended');
    assert.equal(inputBox.value, '');
    server.answer = answer;
  });

  test('a new file that git does not know yet is described, a file with secrets is not sent', async () => {
    git('reset', '-q', '--hard');
    writeFileSync(join(workspaceRoot(), 'src/brandNew.ts'), 'export const brandNew = 1;\n');
    writeFileSync(join(workspaceRoot(), '.env'), 'TOKEN=canary\n');
    await write();
    assert.match(lastPrompt(), /\+export const brandNew = 1;/);
    assert.doesNotMatch(lastPrompt(), /canary/);
    rmSync(join(workspaceRoot(), 'src/brandNew.ts'));
    rmSync(join(workspaceRoot(), '.env'));
  });

  test('no model is said, with a next step, and what was typed stays', async () => {
    const { inputBox } = await repository();
    inputBox.value = 'kept';
    writeFileSync(file(), 'export const webhookDelivery = {};\n');
    await setUserSettings({ 'loupe.model.chat': 'auto' });
    void write();
    assert.match(await noticeWith('No chat model is installed'), /Choose Model/);
    await screenshot('commit-no-model');
    assert.equal(inputBox.value, 'kept');
    await setUserSettings({ 'loupe.model.chat': 'endpoint' });
    git('reset', '-q', '--hard');
  });
});
