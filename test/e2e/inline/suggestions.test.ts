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
    const [folder] = vscode.workspace.workspaceFolders ?? [];
    assert.ok(folder, 'no folder is open');
    editor = await vscode.window.showTextDocument(vscode.Uri.joinPath(folder.uri, name)); // a search may find nothing yet
    await workbench.waitFor('.monaco-editor .view-lines');
  };
  const lineBecomes = async (line: number, matches: (text: string) => boolean): Promise<void> => {
    const deadline = Date.now() + 10_000;
    while (!matches(editor.document.lineAt(line).text)) {
      assert.ok(Date.now() < deadline, `line ${line} is ${JSON.stringify(editor.document.lineAt(line).text)}`);
      await sleep(100);
    }
  };
  const typeAt = async (line: number, text: string): Promise<void> => {
    const { range: { end }, text: before } = editor.document.lineAt(line);
    // Showing waits for the window, setting a selection does not.
    editor = await vscode.window.showTextDocument(editor.document, { selection: new vscode.Range(end, end) });
    await sleep(500);
    await type(text, 80);
    await lineBecomes(line, (now) => now === before + text);
  };

  teardown(async function () {
    if (this.currentTest?.state === 'failed') await screenshot(`inline-failed-${this.currentTest.title.split(' ').slice(0, 3).join('-')}`);
  });

  test('ghost text appears while typing, and Tab accepts it', async () => {
    await open('sums.ts');
    await typeAt(5, 'return ');
    await workbench.waitFor(ghost, { timeout: 150_000 });
    assert.equal(editor.document.lineAt(5).text, '  return ');
    await screenshot('inline-ghost-text');
    await press('Tab');
    await lineBecomes(5, (text) => /^ {2}return a \* b;?$/u.test(text));
    await screenshot('inline-accepted');
  });

  test('the next word is accepted, then the rest of the line', async () => {
    await open('larger.ts');
    await typeAt(2, 'return ');
    await workbench.waitFor(ghost, { timeout: 60_000 });
    const suggested = (await workbench.texts(ghost)).join('').replaceAll('\u00a0', ' ');
    assert.match(suggested, /\w\W+\w/u, 'more than one word, or the test says nothing');
    await vscode.commands.executeCommand('editor.action.inlineSuggest.acceptNextWord');
    await lineBecomes(2, (text) => text.length > '  return '.length && text.length < `  return ${suggested}`.length && `  return ${suggested}`.startsWith(text));
    await workbench.waitFor(ghost, { timeout: 60_000 });
    await screenshot('inline-next-word');
    await vscode.commands.executeCommand('editor.action.inlineSuggest.acceptNextLine');
    await lineBecomes(2, (text) => text === `  return ${suggested}`);
  });

  test('Escape leaves the text as it was typed', async () => {
    await open('parity.ts');
    await typeAt(5, 'return ');
    await workbench.waitFor(ghost, { timeout: 60_000 });
    await press('Escape');
    await workbench.waitFor(ghost, { state: 'hidden', timeout: 10_000 });
    assert.equal(editor.document.lineAt(5).text, '  return ');
  });

  test('a language that is off, and everything when toggled off, gets none', async () => {
    await open('notes.md');
    await typeAt(2, 'their');
    await sleep(4000);
    assert.equal(await workbench.count(ghost), 0);
    await open('sums.ts');
    await vscode.commands.executeCommand('loupe.toggleInline');
    assert.equal(vscode.workspace.getConfiguration().get('loupe.inline.enabled'), false);
    await typeAt(1, 'n');
    await sleep(4000);
    assert.equal(await workbench.count(ghost), 0);
    await vscode.commands.executeCommand('loupe.toggleInline');
    assert.equal(vscode.workspace.getConfiguration().get('loupe.inline.enabled'), true);
  });

  test('the toggle works where the workspace decides, and leaves the user level alone', async () => {
    const key = 'loupe.inline.enabled';
    const set = (value: boolean | undefined): Thenable<void> => vscode.workspace.getConfiguration().update(key, value, vscode.ConfigurationTarget.Workspace);
    const before = vscode.workspace.getConfiguration().inspect(key)?.globalValue;
    await set(true);
    try {
      await vscode.commands.executeCommand('loupe.toggleInline');
      assert.equal(vscode.workspace.getConfiguration().get(key), false);
      assert.equal(vscode.workspace.getConfiguration().inspect(key)?.globalValue, before);
    } finally {
      await set(undefined);
    }
  });
});
