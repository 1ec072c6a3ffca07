import * as vscode from 'vscode';
import { makeError, messageOf } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import type { Result } from '../../base/result.js';
import type { CatalogueEntry } from '../../model/catalogue.js';
import type { DownloadPlace, DownloadProgress } from '../../model/download.js';
import { size } from '../../model/fit.js';
import { inspectModel } from '../../model/installed.js';
import type { KvPreset } from '../../protocol/kv.js';
import type { SettingKey, SettingValue } from '../../protocol/settings.js';
import { showError } from '../host/notices.js';
import type { ModelLibrary } from './modelLibrary.js';
import type { ModelService } from './modelService.js';
import { type PickerAction, type PickerGroup, pickerGroups } from './pickerGroups.js';

/** Where the key of the endpoint is kept: in the system's key store, never in a settings file. */
export const endpointKeySecret = 'loupe.endpoint.key';

export interface ModelCommandsDeps {
  readonly library: ModelLibrary;
  readonly service: ModelService;
  readonly settings: { get<K extends SettingKey>(key: K): SettingValue<K>; update<K extends SettingKey>(key: K, value: SettingValue<K>): Promise<void> };
  readonly secrets: vscode.SecretStorage;
  readonly download: (entry: CatalogueEntry, place: DownloadPlace, onProgress: (progress: DownloadProgress) => void, signal: AbortSignal) => Promise<Result<string>>;
  readonly logger: Logger;
}

interface Item extends vscode.QuickPickItem { readonly take?: () => Promise<void> }

/** The commands that choose, fetch and configure models. */
export class ModelCommands {
  /** Name of the model that is being downloaded. */
  private downloading: string | undefined;

  constructor(private readonly deps: ModelCommandsDeps) {}

  async chooseModel(): Promise<void> {
    const picker = vscode.window.createQuickPick<Item>();
    picker.title = 'Choose a Model for Chat';
    picker.placeholder = 'Looking at this machine and its models';
    picker.matchOnDescription = true;
    picker.busy = true;
    picker.show();
    try {
      const { library, service, settings, logger } = this.deps;
      const current = settings.get('loupe.model.chat');
      const chosen = accepted(picker);
      // They may be many files: the list does not wait for them.
      const others = library.others().catch((error: unknown) => {
        logger.log('warn', 'The models of other programs could not be looked at', { error: messageOf(error) });
        return [];
      });
      const offer = await library.offer();
      picker.items = this.quickPickItems(pickerGroups(offer, [], current));
      picker.placeholder = service.badge.detail;
      void others.then((found) => {
        picker.busy = false;
        // Most find none, and items that are set again move the user's focus.
        if (found.length === 0) return;
        const active = picker.activeItems[0]?.label;
        picker.keepScrollPosition = true;
        picker.items = this.quickPickItems(pickerGroups(offer, found, current));
        // What was active before the user typed may be filtered out: then nothing would have the focus, and Enter do nothing.
        if (picker.value === '') picker.activeItems = picker.items.filter(({ label }) => label === active);
      });
      const item = await chosen;
      picker.hide();
      await item?.take?.();
    } finally {
      picker.dispose();
    }
  }

  async chooseFile(): Promise<void> {
    const [uri] = (await vscode.window.showOpenDialog({ title: 'Choose a GGUF File', filters: { 'GGUF models': ['gguf'] }, canSelectMany: false })) ?? [];
    if (!uri) return;
    const model = await inspectModel(uri.fsPath);
    if (!model.ok) return showError(model.error, this.deps.logger);
    if (!model.value) {
      return showError(makeError('model.unsupported', 'This GGUF file is no language model by itself.', 'Choose another GGUF file.'), this.deps.logger);
    }
    await this.use(uri.fsPath);
  }

  async setEndpointKey(): Promise<void> {
    const key = await vscode.window.showInputBox({
      title: 'Endpoint API Key', password: true, ignoreFocusOut: true,
      prompt: 'Kept in the secret storage of your editor. Leave it empty to remove the key.',
    });
    if (key === undefined) return;
    if (key.trim() === '') await this.deps.secrets.delete(endpointKeySecret);
    else await this.deps.secrets.store(endpointKeySecret, key.trim());
    this.deps.service.reset();
  }

  /** Fetches a model with progress and cancel, and takes it into use. A download that is cancelled goes on where it stopped. */
  async downloadEntry(entry: CatalogueEntry): Promise<void> {
    if (this.downloading !== undefined) {
      void vscode.window.showInformationMessage(`${this.downloading} is being downloaded: wait for it, or cancel it in its notification.`);
      return;
    }
    const { library, service, settings, logger } = this.deps;
    this.downloading = entry.name;
    let result: Result<string>;
    try {
      result = await vscode.window.withProgress(
        { location: vscode.ProgressLocation.Notification, title: `Downloading ${entry.name}`, cancellable: true },
        (progress, token) => {
          const controller = new AbortController();
          token.onCancellationRequested(() => {
            controller.abort();
          });
          let shown = '';
          let percent = 0;
          return this.deps.download(entry, { directory: library.directory, mirror: settings.get('loupe.model.mirror') }, (step) => {
            const now = Math.floor((step.doneBytes / step.totalBytes) * 100);
            const message = progressText(step);
            if (message === shown && now === percent) return;
            progress.report({ increment: Math.max(0, now - percent), message });
            [shown, percent] = [message, now];
            service.showDownload({ name: entry.name, fraction: step.doneBytes / step.totalBytes });
          }, controller.signal);
        },
      );
    } finally {
      // Before anything waits for the user: an error that is left standing must not keep them from trying again.
      this.downloading = undefined;
      service.showDownload(undefined);
    }
    if (!result.ok) return showError(result.error, logger);
    library.notifyInstalled();
    await this.use(settings.get('loupe.model.chat') === 'auto' ? 'auto' : entry.id);
  }

  private quickPickItems(groups: readonly PickerGroup[]): Item[] {
    return groups.flatMap(({ label: heading, items }): Item[] => [
      ...(heading === '' ? [] : [{ label: heading, kind: vscode.QuickPickItemKind.Separator }]),
      ...items.map(({ icon, action, label, ...words }): Item => ({ ...words, label: `$(${icon}) ${label}`, take: () => this.take(action) })),
    ]);
  }

  private async take(action: PickerAction): Promise<void> {
    switch (action.kind) {
      case 'use': return this.use(action.setting);
      case 'download': return this.downloadEntry(action.entry);
      case 'downloadAnyway': return this.confirmLarge(action.entry);
      case 'explain': return showError(action.error, this.deps.logger);
      case 'usePreset': return this.usePreset(action.preset);
      case 'chooseFile': return this.chooseFile();
      case 'useEndpoint': return this.useEndpoint();
    }
  }

  private async confirmLarge(entry: CatalogueEntry): Promise<void> {
    const download = 'Download Anyway';
    const chosen = await vscode.window.showWarningMessage(`${entry.name} does not fit into the memory of this machine.`, { modal: true }, download);
    if (chosen === download) await this.downloadEntry(entry);
  }

  private async useEndpoint(): Promise<void> {
    const url = await vscode.window.showInputBox({
      title: 'Address of the Endpoint', value: this.deps.settings.get('loupe.endpoint.url') || 'http://127.0.0.1:8080/v1', ignoreFocusOut: true,
      prompt: 'The base address of an OpenAI-compatible endpoint. Questions, and the code they need, are sent there.',
      validateInput: (value) => (/^https?:\/\/[^\s/]+/i.test(value.trim()) ? undefined : 'Begin with http:// or https://'),
    });
    if (url === undefined) return;
    await this.deps.settings.update('loupe.endpoint.url', url.trim());
    await this.use('endpoint');
  }

  private async usePreset(preset: KvPreset): Promise<void> {
    await this.deps.settings.update('loupe.kv.preset', preset);
    await this.reload();
  }

  private async use(setting: string): Promise<void> {
    await this.deps.settings.update('loupe.model.chat', setting);
    await this.reload();
  }

  private async reload(): Promise<void> {
    this.deps.service.reset();
    const model = await this.deps.service.acquire(new AbortController().signal);
    if (!model.ok && model.error.code !== 'cancelled') await showError(model.error, this.deps.logger);
  }
}

function progressText({ phase, doneBytes, totalBytes }: DownloadProgress): string {
  switch (phase) {
    case 'waiting': return 'another window downloads it';
    case 'download': return `${size(doneBytes)} of ${size(totalBytes)}`;
    case 'verify': return 'checking the file';
    case 'done': return 'done';
  }
}

function accepted(picker: vscode.QuickPick<Item>): Promise<Item | undefined> {
  return new Promise((resolve) => {
    picker.onDidAccept(() => {
      resolve(picker.selectedItems[0]);
    });
    picker.onDidHide(() => {
      resolve(undefined);
    });
  });
}
