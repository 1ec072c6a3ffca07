import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { webview } from '../../support/workbench/page.js';

suite('after a reload', () => {
  test('the view that was open is open again, and Loupe is active without being asked', async () => {
    await webview('#root').waitFor('#root > *', { timeout: 30_000 });
    assert.equal(vscode.extensions.getExtension('loupe.loupe')?.isActive, true);
  });
});
