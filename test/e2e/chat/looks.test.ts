import * as vscode from 'vscode';
import { screenshot } from '../../support/workbench/page.js';
import { openChat, trace } from './chatPage.js';

suite('themes', () => {
  for (const [name, theme] of [['light', 'Default Light Modern'], ['dark', 'Default Dark Modern'], ['contrast', 'Default High Contrast']] as const) {
    test(name, async () => {
      await vscode.workspace.getConfiguration().update('workbench.colorTheme', theme, vscode.ConfigurationTarget.Global);
      await openChat();
      await vscode.commands.executeCommand('loupe.showTrace');
      await trace.waitFor('body', { timeout: 30_000 });
      await new Promise((resolve) => setTimeout(resolve, 1000));
      await screenshot(`theme-${name}`);
    });
  }
});
