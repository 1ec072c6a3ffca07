import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { screenshot } from '../../support/workbench/page.js';
import { answered, ask, chat, modelTimeout, openChat, until, workspaceRoot } from './chatPage.js';

const onDisk = (path: string): string => readFileSync(join(workspaceRoot(), path), 'utf8');
const isProposedDiff = (tab: vscode.Tab): boolean => tab.input instanceof vscode.TabInputTextDiff && tab.input.modified.scheme === 'loupe-edit';
const diffs = (): vscode.Tab[] => vscode.window.tabGroups.all.flatMap((group) => group.tabs).filter(isProposedDiff);

async function proposed(question: string): Promise<void> {
  await vscode.commands.executeCommand('loupe.newChat');
  await openChat();
  await ask(question);
  await chat.waitFor('button[data-approval]', { timeout: modelTimeout });
  await until(() => diffs().length === 1, 'the diff of the proposed edit is open');
}

suite('proposed edits (real 1.5B model)', function () {
  this.timeout(modelTimeout + 60_000);
  const question = 'In src/greeting.ts, replace the text "Welcome to the parcel desk" with "Hello from the parcel desk". Use propose_edit.';

  test('a rejected edit leaves the file byte-equal', async () => {
    const before = onDisk('src/greeting.ts');
    await proposed(question);
    await screenshot('edit-preview');
    assert.equal(onDisk('src/greeting.ts'), before, 'nothing is written before the decision');
    await vscode.commands.executeCommand('loupe.rejectEdit');
    await answered();
    assert.equal(onDisk('src/greeting.ts'), before);
    assert.equal(diffs().length, 0, 'the diff is closed');
  });

  test('an accepted edit is on disk, and undo takes it back', async () => {
    const document = await vscode.workspace.openTextDocument(join(workspaceRoot(), 'src/greeting.ts'));
    await vscode.window.showTextDocument(document);
    await proposed(question);
    await chat.click('button[data-approval]');
    await answered();
    assert.match(onDisk('src/greeting.ts'), /Hello from the parcel desk/);
    await vscode.window.showTextDocument(document);
    await screenshot('edit-accepted');
    await vscode.commands.executeCommand('undo');
    assert.match(document.getText(), /Welcome to the parcel desk/);
    await document.save();
  });
});
