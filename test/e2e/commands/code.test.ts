import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { press, screenshot, type, workbench } from '../../support/workbench/page.js';
import type { ScriptedServer } from '../../support/model/scriptedServer.js';
import { answered, chat, openChat, until, workspaceRoot } from '../support/chatPage.js';
import { git, repository } from '../support/git.js';
import { clearNotices, noticeWith } from '../support/notices.js';
import { useScriptedModel } from '../support/scriptedModel.js';

const path = 'src/notifications/webhook.ts';

suite('commands on code and changes (scripted endpoint)', function () {
  this.timeout(60_000);
  let server: ScriptedServer;
  let editor: vscode.TextEditor;
  const problems = vscode.languages.createDiagnosticCollection('test');
  const asked = (): number => server.requests.filter((r) => r.path.endsWith('/chat/completions')).length;
  const lastPrompt = (): string => {
    const seen = JSON.parse(server.requests.findLast((r) => r.path.endsWith('/chat/completions'))?.body ?? '{}') as { messages: { role: string; content: string }[] };
    return seen.messages.findLast((m) => m.role === 'user')?.content ?? '';
  };
  /** Runs a command that asks, and gives what reached the model. */
  const promptOf = async (command: string): Promise<string> => {
    const before = asked();
    await vscode.commands.executeCommand(command);
    await until(() => asked() > before, `${command} reaches the model`);
    await answered();
    return lastPrompt();
  };
  const open = async (): Promise<void> => {
    editor = await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(join(workspaceRoot(), path)), vscode.ViewColumn.One);
  };
  const lineOf = (text: string): number => editor.document.getText().split('\n').findIndex((line) => line.includes(text));
  const select = (from: number, to: number): void => {
    editor.selection = new vscode.Selection(from, 0, to, editor.document.lineAt(to).text.length);
  };

  suiteSetup(async () => {
    server = await useScriptedModel(() => ({ text: 'It sends the webhook and tries again.' }));
    await openChat();
    await repository();
    await open();
  });
  suiteTeardown(() => {
    problems.dispose();
    return server.close();
  });
  teardown(clearNotices);

  test('nothing to review is said, and nothing is asked', async () => {
    await vscode.commands.executeCommand('loupe.reviewChanges');
    await noticeWith('There are no uncommitted changes to review');
    assert.equal(asked(), 0);
  });

  test('a review sends staged, unstaged and new changes as one attachment, and answers in the chat', async () => {
    writeFileSync(join(workspaceRoot(), 'src/config/webhookDelivery.ts'), 'export const webhookDelivery = { maxAttempts: 9, firstPauseMs: 250 };\n');
    git('add', 'src/config/webhookDelivery.ts');
    writeFileSync(join(workspaceRoot(), 'README.md'), 'Rewritten.\n');
    writeFileSync(join(workspaceRoot(), 'src/fresh.ts'), 'export const fresh = true;\n');
    const prompt = await promptOf('loupe.reviewChanges');
    await screenshot('review-changes');
    assert.match(prompt, /^Uncommitted changes/);
    for (const change of [/\+.*maxAttempts: 9/, /\+Rewritten\./, /\+export const fresh = true;/]) assert.match(prompt, change);
    assert.match(prompt, /Review the attached uncommitted changes/);
    assert.match((await chat.texts('article.turn')).at(-1) ?? '', /It sends the webhook/);
    git('reset', '-q', '--hard');
    rmSync(join(workspaceRoot(), 'src/fresh.ts'));
  });

  const selected: readonly (readonly [string, RegExp])[] = [
    ['loupe.explain', /Explain what lines 7-9 of src\/notifications\/webhook\.ts/],
    ['loupe.writeTests', /Write tests for lines 7-9 of/],
    ['loupe.document', /Write the documentation comment for lines 7-9 of/],
    ['loupe.fix', /Find and fix what is wrong in lines 7-9 of/],
  ];
  for (const [command, question] of selected) {
    test(`${command} on a selection: the question, and the lines as an attachment`, async () => {
      await open();
      select(6, 8);
      problems.set(editor.document.uri, [new vscode.Diagnostic(new vscode.Range(7, 0, 7, 5), 'the canary problem')]);
      const prompt = await promptOf(command);
      const lines = editor.document.getText().split('\n').slice(6, 9).join('\n');
      assert.match(prompt, question);
      assert.ok(prompt.includes(`Selection in ${path}, lines 7-9:\n\`\`\`\n${lines}\n`), prompt);
      assert.equal(prompt.includes(`${path}:8: error: the canary problem`), command === 'loupe.fix');
    });
  }

  test('without a selection the function at the cursor is meant, by its name', async () => {
    await open();
    const line = lineOf('function ');
    const name = /function (\w+)/.exec(editor.document.lineAt(line).text)?.[1] ?? '';
    editor.selection = new vscode.Selection(line + 1, 0, line + 1, 0);
    await until(async () => ((await vscode.commands.executeCommand<unknown[] | undefined>('vscode.executeDocumentSymbolProvider', editor.document.uri)) ?? []).length > 0, 'the language server knows the file', 30_000);
    const prompt = await promptOf('loupe.explain');
    assert.match(prompt, new RegExp(`Explain what \`${name}\` in ${path} \\(lines ${line + 1}-\\d+\\)`));
    assert.match(prompt, new RegExp(`Selection in ${path}, lines ${line + 1}-`));
  });

  test('by keyboard, through the command palette', async () => {
    await open();
    select(6, 8);
    const before = asked();
    await press('F1');
    await workbench.waitFor('.quick-input-widget input');
    await type('Loupe: Explain');
    await workbench.waitFor('.quick-input-widget .monaco-list-row.focused:has-text("Loupe: Explain")');
    await screenshot('palette-explain');
    await press('Enter');
    await until(() => asked() > before, 'the question is asked');
    await answered();
    await screenshot('code-explain');
    assert.match(lastPrompt(), /Explain what lines 7-9 of/);
  });

  test('without an editor it says what to do', async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    const before = asked();
    void vscode.commands.executeCommand('loupe.explain');
    assert.match(await noticeWith('There is no code at the cursor'), /select some code/);
    assert.equal(asked(), before);
  });
});
