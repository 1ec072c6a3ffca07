import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { workbench } from '../../support/workbench/page.js';

suite('after a reload', () => {
  test('the view that was open is open again, and Loupe is active without being asked', async () => {
    await workbench.waitFor('iframe.webview.ready', { state: 'attached' });
    assert.equal(vscode.extensions.getExtension('loupe.loupe')?.isActive, true);
  });
});
