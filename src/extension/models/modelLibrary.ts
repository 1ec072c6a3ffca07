import type { Disposable } from '../../base/disposable.js';
import { makeError } from '../../base/errors.js';
import { Emitter } from '../../base/event.js';
import { err, ok, type Result } from '../../base/result.js';
import { type CatalogueEntry, catalogue } from '../../model/catalogue.js';
import { type Choice, chooseModels, explicitFiles, type LocalChoice, type ModelSettings, type Recommendation, recommended } from '../../model/choose.js';
import { keptBytes } from '../../model/download.js';
import type { Hardware } from '../../model/hardware.js';
import { type Installed, installedModels } from '../../model/installed.js';
import { modelsDirectory } from '../../model/paths.js';
import { verifyModel } from '../../model/verify.js';
import type { SettingKey, SettingValue } from '../../protocol/settings.js';
import type { LoadParams } from '../../protocol/sidecar.js';
import type { ChosenModel } from './modelService.js';

export interface ModelLibraryDeps {
  readonly settings: { get<K extends SettingKey>(key: K): SettingValue<K> };
  readonly hardware: () => Promise<Hardware>;
  /** Memory that the sidecar holds already: it is free for the choice. */
  readonly ownBytes: () => Promise<number>;
}

/** What there is to choose from, for the list that the user sees. */
export interface ModelOffer {
  readonly choice: Choice;
  readonly installed: Installed;
  /** Catalogue models that can be downloaded and fit, the best first, with the bytes that an earlier download left. */
  readonly downloads: readonly (Recommendation & { readonly keptBytes: number })[];
  /** Catalogue models that are not installed and do not fit. */
  readonly tooLarge: readonly CatalogueEntry[];
}

/** The models of this machine: what is installed, what fits, what the settings choose. */
export class ModelLibrary implements Disposable {
  private readonly changed = new Emitter<void>();
  /** A model was installed. */
  readonly onDidChange = this.changed.event;

  constructor(private readonly deps: ModelLibraryDeps) {}

  get directory(): string {
    return modelsDirectory(this.deps.settings.get('loupe.model.directory'));
  }

  async chooseChat(): Promise<Result<ChosenModel>> {
    const { chat, chatProblem } = await this.choose();
    if (chat) return sound(chat);
    return err(chatProblem ?? makeError('model.none', 'No chat model is installed.', 'Choose one with "Loupe: Choose Model".'));
  }

  /** What to load for inline suggestions. */
  async completionModel(): Promise<Result<LoadParams>> {
    const { completion, completionProblem } = await this.choose();
    if (!completion) return err(completionProblem ?? makeError('model.none', 'No model for inline suggestions is installed.', 'Choose one with "Loupe: Choose Model".'));
    const checked = await sound(completion);
    return checked.ok ? ok(this.loadParams('completion', completion.path, completion.contextSize)) : checked;
  }

  loadParams(role: LoadParams['role'], modelPath: string, contextSize: LoadParams['contextSize']): LoadParams {
    const { settings } = this.deps;
    const threads = settings.get('loupe.model.threads');
    return {
      role, modelPath, contextSize,
      kvKeys: settings.get('loupe.kv.keys'),
      kvValues: settings.get('loupe.kv.values'),
      threads: threads === 0 ? 'auto' : threads,
      gpu: settings.get('loupe.model.gpu'),
    };
  }

  async offer(): Promise<ModelOffer> {
    const settings = this.modelSettings();
    const [installed, hardware, ownBytes] = await this.look(settings);
    const present = (entry: CatalogueEntry): boolean => installed.models.some((m) => m.entry?.id === entry.id);
    const fitting = recommended(hardware, 'chat', settings, ownBytes);
    return {
      choice: chooseModels({ settings, installed, hardware, ownBytes }),
      installed,
      downloads: await Promise.all(fitting.filter(({ entry }) => !present(entry)).map(async (offer) => ({ ...offer, keptBytes: await keptBytes(offer.entry, this.directory) }))),
      tooLarge: catalogue.filter((entry) => entry.url !== undefined && entry.roles.includes('chat') && !present(entry) && !fitting.some((f) => f.entry.id === entry.id)),
    };
  }

  notifyInstalled(): void {
    this.changed.fire();
  }

  dispose(): void {
    this.changed.dispose();
  }

  private async choose(): Promise<Choice> {
    const settings = this.modelSettings();
    const [installed, hardware, ownBytes] = await this.look(settings);
    return chooseModels({ settings, installed, hardware, ownBytes });
  }

  private look(settings: ModelSettings): Promise<[Installed, Hardware, number]> {
    return Promise.all([installedModels(this.directory, explicitFiles(settings)), this.deps.hardware(), this.deps.ownBytes()]);
  }

  private modelSettings(): ModelSettings {
    const { settings } = this.deps;
    return {
      'loupe.model.chat': settings.get('loupe.model.chat'),
      'loupe.model.completion': settings.get('loupe.model.completion'),
      'loupe.model.contextSize': settings.get('loupe.model.contextSize'),
      'loupe.model.gpu': settings.get('loupe.model.gpu'),
      'loupe.kv.keys': settings.get('loupe.kv.keys'),
      'loupe.kv.values': settings.get('loupe.kv.values'),
      'loupe.endpoint.url': settings.get('loupe.endpoint.url'),
      'loupe.endpoint.model': settings.get('loupe.endpoint.model'),
    };
  }
}

/**
 * The choice, when its file is the published one: native code reads it next. The file is read once; after that, and after a
 * download, only its size and time are looked at.
 */
async function sound(choice: LocalChoice): Promise<Result<LocalChoice>> {
  if (!choice.entry?.sha256) return ok(choice);
  const checked = await verifyModel(choice.path, choice.entry.sha256, new AbortController().signal);
  return checked.ok ? ok(choice) : checked;
}
