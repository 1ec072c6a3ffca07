import assert from 'node:assert/strict';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { screenshot, workbench } from '../../support/workbench/page.js';
import { settled, until, workspaceRoot } from '../support/chatPage.js';
import { EditorModel, modelSelector } from '../support/editorModel.js';

const path = 'src/config/webhookDelivery.ts';
const named = (name: string): boolean => vscode.lm.tools.some((tool) => tool.name.startsWith('mcp_') && tool.name.endsWith(name));

suite('the built-in chat of the editor', function () {
  this.timeout(120_000);
  let model: EditorModel;

  suiteSetup(async () => {
    // Who has never signed in finds the extension behind that chat switched off.
    const enableAll = 'workbench.extensions.action.enableAll'; // the editor has it only some time after its window is shown
    await until(async () => (await vscode.commands.getCommands(true)).includes(enableAll), 'the editor can switch it on', 30_000);
    await vscode.commands.executeCommand(enableAll);
    await until(() => vscode.extensions.getExtension('GitHub.copilot-chat') !== undefined, 'the built-in chat is enabled', 30_000);
    model = new EditorModel(({ tools, results }) => {
      const answer = results.at(-1);
      if (answer !== undefined) return { text: `Selected: ${/"text":"(\w+)"/.exec(answer)?.[1]}` };
      const call = tools.find((name) => name.startsWith('mcp_') && name.endsWith('open_editors'));
      return call === undefined ? { text: 'There is no such tool.' } : { call, input: {} };
    });
    await until(async () => (await vscode.lm.selectChatModels(modelSelector)).length === 1, 'the model is offered', 30_000);
  });
  suiteTeardown(() => model?.dispose());

  test('starts the server by itself, gives the model its tools, and calls one on this window', async () => {
    assert.equal(named('open_editors'), false, 'nobody has started the server');
    const editor = await vscode.window.showTextDocument(vscode.Uri.file(join(workspaceRoot(), path)), { preview: false });
    editor.selection = new vscode.Selection(1, 13, 1, 28);
    await vscode.commands.executeCommand('workbench.action.chat.open', { mode: 'agent', modelSelector, query: 'What have I selected?' });
    await workbench.waitFor('.interactive-response:has-text("Selected: webhookDelivery")', { timeout: 90_000 });
    await settled();
    await screenshot('mcp-builtin-chat');
    assert.ok(named('open_editors') && named('propose_edit'), 'the editor knows the tools of the server');
    const [first, second] = model.requests.filter(({ tools }) => tools.length > 0);
    for (const name of ['open_editors', 'read_file', 'search_text', 'propose_edit', 'run_command']) {
      assert.ok(first?.tools.some((tool) => tool.startsWith('mcp_') && tool.endsWith(name)), `${name} is offered to the model`);
    }
    const { editors } = JSON.parse(second?.results.at(-1) ?? '{}') as { editors: { path: string; selection: { text: string } }[] };
    assert.deepEqual([editors[0]?.path, editors[0]?.selection.text], [path, 'webhookDelivery']);
  });
});
