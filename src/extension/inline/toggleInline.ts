import * as vscode from 'vscode';
import type { SettingKey } from '../../protocol/settings.js';
import { resolveSetting } from '../settingsReader.js';

const key = 'loupe.inline.enabled' satisfies SettingKey;

/** Switches inline suggestions on or off where the setting is decided now: a workspace's value would hide one of the user level. */
export async function toggleInline(): Promise<void> {
  const configuration = vscode.workspace.getConfiguration();
  const inspected = configuration.inspect(key);
  const enabled = !resolveSetting(key, inspected);
  const { Global, Workspace } = vscode.ConfigurationTarget;
  await configuration.update(key, enabled, inspected?.workspaceValue === undefined ? Global : Workspace);
  vscode.window.setStatusBarMessage(`Loupe: inline suggestions ${enabled ? 'on' : 'off'}`, 3000);
}
