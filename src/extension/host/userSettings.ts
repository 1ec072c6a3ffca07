import * as vscode from 'vscode';
import { type Disposable, DisposableStore } from '../../base/disposable.js';
import { Emitter } from '../../base/event.js';
import { type SettingKey, settings, type SettingValue } from '../../protocol/settings.js';
import { resolveSetting } from '../settingsReader.js';

/** Settings as they count now, and which of them changed. */
export class UserSettings implements Disposable {
  private readonly disposables = new DisposableStore();
  private readonly changed = this.disposables.add(new Emitter<ReadonlySet<SettingKey>>());
  readonly onDidChange = this.changed.event;

  constructor() {
    this.disposables.add(vscode.workspace.onDidChangeConfiguration((e) => {
      const keys = (Object.keys(settings) as SettingKey[]).filter((key) => e.affectsConfiguration(key));
      if (keys.length > 0) this.changed.fire(new Set(keys));
    }));
  }

  get<K extends SettingKey>(key: K): SettingValue<K> {
    return resolveSetting(key, vscode.workspace.getConfiguration().inspect(key));
  }

  /** Writes a setting at the user level. */
  async update<K extends SettingKey>(key: K, value: SettingValue<K>): Promise<void> {
    await vscode.workspace.getConfiguration().update(key, value, vscode.ConfigurationTarget.Global);
  }

  dispose(): void {
    this.disposables.dispose();
  }
}
