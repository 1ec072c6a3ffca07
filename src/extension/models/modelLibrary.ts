import type { Disposable } from '../../base/disposable.js';
import { type LoupeError, makeError } from '../../base/errors.js';
import { Emitter } from '../../base/event.js';
import { err, ok, type Result } from '../../base/result.js';
import { type CatalogueEntry, catalogue, catalogueEntry } from '../../model/catalogue.js';
import { type Choice, type ChooseInput, chooseModels, contextFor, explicitFiles, type ModelSettings, type Recommendation, recommended } from '../../model/choose.js';
import { keptBytes } from '../../model/download.js';
import { type Fit, size } from '../../model/fit.js';
import type { Hardware } from '../../model/hardware.js';
import { type Installed, installedModels } from '../../model/installed.js';
import type { OtherAppModel } from '../../model/otherApps.js';
import type { KvEngine } from '../../model/kvPresets.js';
import { hashRecords, modelsDirectory } from '../../model/paths.js';
import type { verifyModel } from '../../model/verify.js';
import type { SettingKey, SettingValue } from '../../protocol/settings.js';
import { type KvPreset, kvPresets } from '../../protocol/kv.js';
import type { LoadParams } from '../../protocol/sidecar.js';
import type { Trust } from '../trust.js';
import { FileChecks } from './fileChecks.js';
import type { ChosenModel } from './modelService.js';

export interface ModelLibraryDeps {
  readonly settings: { get<K extends SettingKey>(key: K): SettingValue<K> };
  readonly hardware: () => Promise<Hardware>;
  /** Memory that the sidecar holds already: it is free for the choice. */
  readonly ownBytes: () => Promise<number>;
  /** What the running engine can store; undefined while none runs. */
  readonly engine: () => Promise<KvEngine | undefined>;
  readonly verify: typeof verifyModel;
  /** Models that other programs have downloaded; looked for only in a trusted workspace. */
  readonly otherApps: () => Promise<readonly OtherAppModel[]>;
  readonly trust: Trust;
}

/** What there is to choose from, for the list that the user sees. */
export interface ModelOffer {
  readonly choice: Choice;
  /** The models folder. */
  readonly directory: string;
  readonly installed: Installed;
  /** Catalogue models that can be downloaded and fit, the best first, with the bytes that an earlier download left. */
  readonly downloads: readonly (Recommendation & { readonly keptBytes: number })[];
  /** What each storage of the KV cache would mean for the chat model that is chosen; empty without a local one. */
  readonly presets: readonly PresetOffer[];
  /** Catalogue models that are not installed and do not fit. */
  readonly tooLarge: readonly CatalogueEntry[];
}

/** A preset of the KV cache, and the context that would fit with it where the engine has its formats. */
export interface PresetOffer { readonly preset: KvPreset; readonly contextSize: number; readonly current: boolean }

/** A model of another program, and the context that would fit. */
export interface OtherOffer extends OtherAppModel { readonly fit: Fit }

/** The models of this machine: what is installed, what fits, what the settings choose. */
export class ModelLibrary implements Disposable {
  private readonly changed = new Emitter<void>();
  /** A model was installed. */
  readonly onDidChange = this.changed.event;

  private readonly checks: FileChecks;

  constructor(private readonly deps: ModelLibraryDeps) {
    this.checks = new FileChecks((file, sha256, signal, onProgress) => deps.verify(file, sha256, signal, onProgress, hashRecords(file, this.directory)));
  }

  get directory(): string {
    return modelsDirectory(this.deps.settings.get('loupe.model.directory'));
  }

  async chooseChat(): Promise<Result<ChosenModel>> {
    const { chat, chatProblem } = await this.choose();
    if (chat) return ok({ path: chat.path, name: chat.name, contextSize: chat.contextSize, reason: chat.reason, ...(chat.entry?.sha256 ? { sha256: chat.entry.sha256 } : {}) });
    const problem = chatProblem ?? makeError('model.none', 'No chat model is installed.', 'Choose one with "Loupe: Choose Model".');
    return err(problem.code === 'model.none' ? await this.namingOthers(problem) : problem);
  }

  /**
   * Whether the file is the published one: native code reads it next. It is read once; after that, and after a download, only its
   * size and time are looked at. A model that the catalogue does not know has nothing to be compared with.
   */
  checkFile({ path: file, sha256 }: Pick<ChosenModel, 'path' | 'sha256'>, onProgress: (fraction: number) => void, signal: AbortSignal): Promise<Result<null>> {
    return sha256 === undefined ? Promise.resolve(ok(null)) : this.checks.check(file, sha256, onProgress, signal);
  }

  /** What to load for inline suggestions, once its file is checked. */
  async completionModel(onCheck: (fraction: number) => void, signal: AbortSignal): Promise<Result<LoadParams>> {
    const { completion, completionProblem } = await this.choose();
    if (!completion) return err(completionProblem ?? makeError('model.none', 'No model for inline suggestions is installed.', 'Choose one with "Loupe: Choose Model".'));
    const sha256 = completion.entry?.sha256;
    const checked = await this.checkFile({ path: completion.path, ...(sha256 ? { sha256 } : {}) }, onCheck, signal);
    return checked.ok ? ok(this.loadParams('completion', completion.path, completion.contextSize)) : checked;
  }

  loadParams(role: LoadParams['role'], modelPath: string, contextSize: LoadParams['contextSize']): LoadParams {
    const { settings } = this.deps;
    const threads = settings.get('loupe.model.threads');
    return {
      role, modelPath, contextSize,
      kvPreset: settings.get('loupe.kv.preset'),
      threads: threads === 0 ? 'auto' : threads,
      gpu: settings.get('loupe.model.gpu'),
    };
  }

  async offer(): Promise<ModelOffer> {
    const settings = this.modelSettings();
    const { installed, ...machine } = await this.look(settings);
    const { hardware, ownBytes, engine } = machine;
    const present = (entry: CatalogueEntry): boolean => installed.models.some((m) => m.entry?.id === entry.id);
    const fitting = recommended(hardware, 'chat', settings, ownBytes, engine);
    return {
      choice: chooseModels({ settings, installed, ...machine }),
      presets: kvPresets.flatMap((preset) => {
        const { chat } = chooseModels({ settings: { ...settings, 'loupe.kv.preset': preset }, installed, ...machine });
        return chat ? [{ preset, contextSize: chat.contextSize, current: preset === settings['loupe.kv.preset'] }] : [];
      }),
      directory: this.directory,
      installed,
      downloads: await Promise.all(fitting.filter(({ entry }) => !present(entry)).map(async (offer) => ({ ...offer, keptBytes: await keptBytes(offer.entry, this.directory) }))),
      tooLarge: catalogue.filter((entry) => entry.url !== undefined && entry.roles.includes('chat') && !present(entry) && !fitting.some((f) => f.entry.id === entry.id)),
    };
  }

  /** Models that Ollama and LM Studio have downloaded, the ones that fit first. They are offered, never chosen by themselves. */
  async others(): Promise<readonly OtherOffer[]> {
    if (!this.deps.trust.granted) return [];
    const settings = this.modelSettings();
    const [models, hardware, ownBytes, engine] = await Promise.all([this.deps.otherApps(), this.deps.hardware(), this.deps.ownBytes(), this.deps.engine()]);
    const unique = models.filter(({ model }, index) => models.findIndex((other) => other.model.path === model.path) === index);
    return unique.map((model) => ({ ...model, fit: contextFor(model.model, hardware, settings, ownBytes, engine) }))
      .sort((a, b) => Number(b.fit.fits) - Number(a.fit.fits));
  }

  notifyInstalled(): void {
    this.changed.fire();
  }

  dispose(): void {
    this.changed.dispose();
  }

  /** Nobody should download gigabytes that are on this machine already. */
  private async namingOthers(problem: LoupeError): Promise<LoupeError> {
    const [first, ...more] = (await this.others()).filter(({ fit }) => fit.fits);
    if (!first) return problem;
    const also = more.length === 0 ? '' : ` and ${more.length} more`;
    const entry = catalogueEntry(String(problem.data?.['id']));
    const download = entry ? `, or download ${entry.name} (${size(entry.sizeBytes)}),` : '';
    return { ...problem, next: `${first.app} has ${first.name}${also} on this machine already. Use that${download} with "Loupe: Choose Model".` };
  }

  private async choose(): Promise<Choice> {
    const settings = this.modelSettings();
    return chooseModels({ settings, ...(await this.look(settings)) });
  }

  private async look(settings: ModelSettings): Promise<Omit<ChooseInput, 'settings'>> {
    const [installed, hardware, ownBytes, engine] = await Promise.all([
      installedModels(this.directory, explicitFiles(settings)), this.deps.hardware(), this.deps.ownBytes(), this.deps.engine(),
    ]);
    return { installed, hardware, ownBytes, ...(engine ? { engine } : {}) };
  }

  private modelSettings(): ModelSettings {
    const { settings } = this.deps;
    return {
      'loupe.model.chat': settings.get('loupe.model.chat'),
      'loupe.model.completion': settings.get('loupe.model.completion'),
      'loupe.model.contextSize': settings.get('loupe.model.contextSize'),
      'loupe.model.gpu': settings.get('loupe.model.gpu'),
      'loupe.kv.preset': settings.get('loupe.kv.preset'),
      'loupe.endpoint.url': settings.get('loupe.endpoint.url'),
      'loupe.endpoint.model': settings.get('loupe.endpoint.model'),
    };
  }
}
