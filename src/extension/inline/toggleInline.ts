import * as vscode from 'vscode';
import type { SettingKey } from '../../protocol/settings.js';
import { type InspectedSetting, resolveSetting } from '../settingsReader.js';

const key = 'loupe.inline.enabled' satisfies SettingKey;

/** Switches inline suggestions on or off where the setting is decided now: a workspace's value would hide one of the user level. */
export async function toggleInline(): Promise<void> {
  const configuration = vscode.workspace.getConfiguration();
  const inspected = configuration.inspect(key);
  const enabled = !resolveSetting(key, inspected);
  await configuration.update(key, enabled, decidingLevel(inspected));
  vscode.window.setStatusBarMessage(`Loupe: inline suggestions ${enabled ? 'on' : 'off'}`, 3000);
}

function decidingLevel(inspected: InspectedSetting | undefined): vscode.ConfigurationTarget {
  if (inspected?.workspaceFolderValue !== undefined) return vscode.ConfigurationTarget.WorkspaceFolder;
  return inspected?.workspaceValue === undefined ? vscode.ConfigurationTarget.Global : vscode.ConfigurationTarget.Workspace;
}
