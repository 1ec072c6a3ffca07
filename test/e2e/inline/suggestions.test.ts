import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import * as vscode from 'vscode';
import { press, screenshot, type, workbench } from '../../support/workbench/page.js';

/** The packaged extension with the real 0.5B model. */
suite('inline suggestions in the workbench', function () {
  this.timeout(180_000);
  const ghost = '.ghost-text-decoration, .ghost-text';
  let editor: vscode.TextEditor;

  const open = async (name: string): Promise<void> => {
    const [uri] = await vscode.workspace.findFiles(name);
    assert.ok(uri, name);
    editor = await vscode.window.showTextDocument(uri);
    await workbench.click('.monaco-editor .view-lines');
  };
  const typeAt = async (line: number, text: string): Promise<void> => {
    const { range: { end }, text: before } = editor.document.lineAt(line);
    editor.selection = new vscode.Selection(end, end);
    await type(text, 80);
    assert.equal(editor.document.lineAt(line).text, before + text);
  };
  const lineBecomes = async (line: number, expected: RegExp): Promise<void> => {
    const deadline = Date.now() + 10_000;
    while (!expected.test(editor.document.lineAt(line).text)) {
      assert.ok(Date.now() < deadline, `line ${line} is ${JSON.stringify(editor.document.lineAt(line).text)}`);
      await sleep(100);
    }
  };

  teardown(async function () {
    if (this.currentTest?.state === 'failed') await screenshot(`inline-failed-${this.currentTest.title.split(' ').slice(0, 3).join('-')}`);
  });

  test('ghost text appears while typing, and Tab accepts it', async () => {
    await open('sums.ts');
    await typeAt(1, 'return ');
    await workbench.waitFor(ghost, { timeout: 150_000 });
    assert.equal(editor.document.lineAt(1).text, '  return ');
    await screenshot('inline-ghost-text');
    await press('Tab');
    await lineBecomes(1, /^ {2}return a \+ b;?$/u);
    await screenshot('inline-accepted');
  });

  test('the next word is accepted, then the rest of the line', async () => {
    await typeAt(5, 'return ');
    await workbench.waitFor(ghost, { timeout: 60_000 });
    await vscode.commands.executeCommand('editor.action.inlineSuggest.acceptNextWord');
    await lineBecomes(5, /^ {2}return a$/u);
    await workbench.waitFor(ghost, { timeout: 60_000 });
    await screenshot('inline-next-word');
    await vscode.commands.executeCommand('editor.action.inlineSuggest.acceptNextLine');
    await lineBecomes(5, /^ {2}return a - b;?$/u);
  });

  test('Escape leaves the text as it was typed', async () => {
    await typeAt(9, 'return ');
    await workbench.waitFor(ghost, { timeout: 60_000 });
    await press('Escape');
    await workbench.waitFor(ghost, { state: 'hidden', timeout: 10_000 });
    assert.equal(editor.document.lineAt(9).text, '  return ');
  });

  test('a language that is off, and everything when toggled off, gets none', async () => {
    await open('notes.md');
    await typeAt(2, 'their ');
    await sleep(4000);
    assert.equal(await workbench.count(ghost), 0);
    await open('sums.ts');
    await vscode.commands.executeCommand('loupe.toggleInline');
    assert.equal(vscode.workspace.getConfiguration().get('loupe.inline.enabled'), false);
    await typeAt(9, 'n');
    await sleep(4000);
    assert.equal(await workbench.count(ghost), 0);
    await vscode.commands.executeCommand('loupe.toggleInline');
    assert.equal(vscode.workspace.getConfiguration().get('loupe.inline.enabled'), true);
  });
});
