import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { commands } from '../../../src/protocol/commands.js';
import { screenshot, webview } from '../../support/workbench/page.js';

suite('activation', () => {
  test('the installed extension activates', async () => {
    const extension = vscode.extensions.getExtension('loupe.loupe');
    assert.ok(extension, 'loupe.loupe is not installed');
    await extension.activate();
    assert.equal(extension.isActive, true);
  });

  test('every command of the table is registered', async () => {
    const registered = new Set(await vscode.commands.getCommands(true));
    assert.deepEqual(Object.keys(commands).filter(id => !registered.has(id)), []);
  });

  test('the chat view opens', async () => {
    await vscode.commands.executeCommand('loupe.chat.focus');
    await webview('#root').waitFor('#root > *', { timeout: 30_000 });
    await screenshot('activation');
  });
});
