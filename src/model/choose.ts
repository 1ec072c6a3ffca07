import path from 'node:path';
import { type LoupeError, makeError } from '../base/errors.js';
import type { KvFormat } from '../protocol/kv.js';
import type { ModelRole } from '../protocol/sidecar.js';
import type { SettingValues } from '../protocol/settings.js';
import { type CatalogueEntry, activeBytes, catalogue, catalogueEntry } from './catalogue.js';
import { type Fit, type FitModel, type MemoryBudget, largestContext, memoryBudget, memoryNeed, size, tokens } from './fit.js';
import type { Hardware } from './hardware.js';
import { type KvEngine, everyFormat, resolveKv } from './kvPresets.js';
import { type Installed, type InstalledModel, displayName, entryFit, fitModel } from './installed.js';
import { expandHome } from './paths.js';

export type ModelSettings = Pick<SettingValues,
  'loupe.model.chat' | 'loupe.model.completion' | 'loupe.model.contextSize' | 'loupe.model.gpu' | 'loupe.kv.preset'
  | 'loupe.endpoint.url' | 'loupe.endpoint.model'>;

export interface LocalChoice {
  readonly entry?: CatalogueEntry;
  readonly path: string;
  readonly name: string;
  readonly contextSize: number;
  /** Why this model and this context, in sentences for the user. */
  readonly reason: string;
}

export interface Choice {
  readonly chat?: LocalChoice;
  /** Set instead of `chat` when the setting says `endpoint`. */
  readonly endpoint?: { readonly url: string; readonly model: string };
  readonly completion?: LocalChoice;
  /** Why there is no chat model, or why it will hardly work. */
  readonly chatProblem?: LoupeError;
  readonly completionProblem?: LoupeError;
}

export interface ChooseInput {
  readonly settings: ModelSettings;
  /** With the files that {@link explicitFiles} names. */
  readonly installed: Installed;
  readonly hardware: Hardware;
  /** Memory that Loupe's sidecar holds already; it is free for the choice. */
  readonly ownBytes?: number;
  /** What the engine can store; absent while none runs: then all formats are counted on, and an engine that lacks them takes less context. */
  readonly engine?: KvEngine;
}

/** How the KV cache of a model would be stored. */
type Storage = (model: FitModel) => KvFormat;

const storageOf = (settings: ModelSettings, engine: KvEngine = everyFormat): Storage => (model) => resolveKv(settings['loupe.kv.preset'], model, engine).format;


/** Room for the text around the cursor and its neighbours; more only costs time at every key. */
const completionContext = 4096;
/**
 * Bytes of weights per token above which generating without a graphics processor falls below reading speed: at the 20 to
 * 50 GB/s of ordinary memory, 3 GB are 7 to 16 tokens per second at best.
 */
const slowActiveBytes = 3e9;

/** Model files that the settings name by path, to be inspected along with the models folder. */
export function explicitFiles(settings: Pick<ModelSettings, 'loupe.model.chat' | 'loupe.model.completion'>): readonly string[] {
  return [settings['loupe.model.chat'], settings['loupe.model.completion']].filter(isPath).map((file) => path.resolve(expandHome(file)));
}

const isPath = (setting: string): boolean => /[/\\]/.test(setting) || setting.toLowerCase().endsWith('.gguf');

/** Which models to load, and why. Pure. What cannot be had is said in a problem with a next step; the rest still works. */
export function chooseModels(input: ChooseInput): Choice {
  const { settings } = input;
  const budget = memoryBudget(input.hardware, input.ownBytes);
  const storage = storageOf(settings, input.engine);
  const completion = chooseCompletion(input, budget, storage);
  const suggestions = {
    ...(completion.choice ? { completion: completion.choice } : {}), ...(completion.problem ? { completionProblem: completion.problem } : {}),
  };
  if (settings['loupe.model.chat'] === 'endpoint') {
    const url = settings['loupe.endpoint.url'].trim();
    if (url) return { endpoint: { url, model: settings['loupe.endpoint.model'].trim() }, ...suggestions };
    return { ...suggestions, chatProblem: makeError('endpoint.unreachable', 'The chat model is an endpoint, but no address is set.', 'Set loupe.endpoint.url, for example to http://127.0.0.1:8080/v1.') };
  }
  const chat = chooseChat(input, leaving(completion.model, budget, storage), storage);
  // An answer matters more than suggestions: where both do not fit, the chat model has all the memory.
  const alone = completion.choice && !chat.fits ? chooseChat(input, () => budget, storage) : undefined;
  if (alone?.fits && alone.choice && completion.choice) {
    return {
      chat: alone.choice,
      completionProblem: makeError('model.outOfMemory', `There is no memory for ${completion.choice.name} beside the chat model, so there are no inline suggestions.`,
        'Close other programs, or choose a smaller chat model.'),
    };
  }
  return { ...(chat.choice ? { chat: chat.choice } : {}), ...(chat.problem ? { chatProblem: chat.problem } : {}), ...suggestions };
}

/** The chat model gets what the completion model leaves; weights that both share count once. */
function leaving(other: Candidate['model'], budget: MemoryBudget, storage: Storage): (model: FitModel, file: string) => MemoryBudget {
  if (!other) return () => budget;
  return (model, file) => {
    const taken = memoryNeed(other.fit, completionContext, storage(other.fit)).totalBytes - (other.path === file ? model.weightsBytes : 0);
    return { ...budget, bytes: Math.max(0, budget.bytes - taken) };
  };
}

interface Candidate {
  readonly choice?: LocalChoice;
  readonly fits?: boolean;
  readonly model?: { readonly path: string; readonly fit: FitModel };
  readonly problem?: LoupeError;
}

function chooseChat(input: ChooseInput, budget: (model: FitModel, file: string) => MemoryBudget, storage: Storage): Candidate {
  const { settings, installed, hardware } = input;
  const wanted = settings['loupe.model.contextSize'];
  const fitOf = (model: InstalledModel): Fit => largestContext(fitModel(model), budget(fitModel(model), model.path), storage(fitModel(model)), wanted);
  const setting = settings['loupe.model.chat'].trim() || 'auto';
  if (setting !== 'auto') {
    const named = findNamed(setting, 'chat', installed);
    if (!named.model) return named.problem ? { problem: named.problem } : {};
    const fit = fitOf(named.model);
    const choice = choose(named.model, fit.contextSize, `Set in loupe.model.chat. ${fit.reason}`);
    return fit.fits ? { choice, fits: true } : { choice, problem: tooLarge(named.model, fit) };
  }
  const usable = installed.models.filter(canChat).sort(byPreference);
  if (usable.length === 0) return { problem: noModel(input, 'chat') };
  const slow = (model: InstalledModel): boolean => !hasGpu(hardware, settings) && modelActiveBytes(model) > slowActiveBytes;
  const fitting = usable.map((model) => ({ model, fit: fitOf(model) })).filter(({ fit }) => fit.fits);
  const best = fitting.find(({ model }) => !slow(model)) ?? fitting[0];
  const smallest = [...usable].sort((a, b) => a.fileBytes - b.fileBytes)[0] as InstalledModel;
  if (!best) return { problem: tooLarge(smallest, fitOf(smallest)) };
  const passedOver = usable.slice(0, usable.indexOf(best.model)).map((model) => `${displayName(model)} is installed too, but ${
    fitting.some((f) => f.model === model) ? 'would be slow without a graphics processor' : 'does not fit into memory'}.`);
  return { fits: true, choice: choose(best.model, best.fit.contextSize, ['The best installed chat model for this machine.', best.fit.reason, contextNote(best.model, best.fit), ...passedOver].filter(Boolean).join(' ')) };
}

function chooseCompletion(input: ChooseInput, budget: MemoryBudget, storage: Storage): Candidate {
  const { settings, installed, hardware } = input;
  const setting = settings['loupe.model.completion'].trim() || 'auto';
  const pick = (model: InstalledModel, why: string): Candidate => {
    const fit = largestContext(fitModel(model), budget, storage(fitModel(model)), completionContext, 1024);
    if (!fit.fits) return { problem: tooLarge(model, fit) };
    return { choice: choose(model, fit.contextSize, `${why} ${fit.reason}`), model: { path: model.path, fit: fitModel(model) } };
  };
  if (setting !== 'auto') {
    const named = findNamed(setting, 'completion', installed);
    if (!named.model) return named.problem ? { problem: named.problem } : {};
    if (!named.model.shape.fillInMiddle) return { problem: noFillInMiddle(named.model) };
    return pick(named.model, 'Set in loupe.model.completion.');
  }
  const usable = installed.models.filter(canComplete).sort((a, b) => a.fileBytes - b.fileBytes);
  const quick = hasGpu(hardware, settings) || hardware.physicalCores >= 8 ? 2e9 : 6e8;
  const best = usable.filter((model) => modelActiveBytes(model) <= quick).at(-1) ?? usable[0];
  if (!best) return { problem: noModel(input, 'completion') };
  return pick(best, usable.length === 1 ? 'The only installed model that fills in the middle.' : 'The largest installed one that is quick enough here to suggest while you type.');
}

const choose = (model: InstalledModel, contextSize: number, reason: string): LocalChoice => ({
  ...(model.entry ? { entry: model.entry } : {}), path: model.path, name: displayName(model), contextSize, reason,
});

/** A model outside the catalogue chats if it brings a template; it completes if its name says that it is made for code. */
const canChat = (model: InstalledModel): boolean => (model.entry ? model.entry.roles.includes('chat') : model.shape.chatTemplate !== undefined);
const canComplete = (model: InstalledModel): boolean => (model.entry
  ? model.entry.roles.includes('completion')
  : model.shape.fillInMiddle && /code|coder|starcoder|codestral/i.test(`${model.shape.name ?? ''} ${path.basename(model.path)}`));

/** The catalogue's order first; strangers after all of it, the larger the better. */
function byPreference(a: InstalledModel, b: InstalledModel): number {
  return (b.entry?.rank ?? 0) - (a.entry?.rank ?? 0) || b.fileBytes - a.fileBytes;
}

const modelActiveBytes = (model: InstalledModel): number => (model.entry ? activeBytes(model.entry) : model.fileBytes);

const hasGpu = (hardware: Hardware, settings: ModelSettings): boolean =>
  settings['loupe.model.gpu'] === 'auto' && hardware.gpus.some((gpu) => gpu.vendor === 'apple' || gpu.vendor === 'nvidia' || (gpu.vendor === 'amd' && (gpu.memoryBytes ?? 0) > 4e9));

function contextNote(model: InstalledModel, fit: Fit): string {
  return fit.contextSize < model.shape.trainContext ? `The model could use ${tokens(model.shape.trainContext)} with more memory or a smaller KV cache preset.` : '';
}

function findNamed(setting: string, role: ModelRole, installed: Installed): { readonly model?: InstalledModel; readonly problem?: LoupeError } {
  if (isPath(setting)) {
    const file = path.resolve(expandHome(setting));
    const model = installed.models.find((m) => m.path === file);
    if (model) return { model };
    const broken = installed.broken.find((b) => b.path === file);
    return { problem: broken?.error ?? makeError('model.notFound', `There is no usable model file ${file}.`, 'Choose another model with "Loupe: Choose Model".') };
  }
  const entry = catalogueEntry(setting);
  if (!entry) {
    return { problem: makeError('model.notFound', `"${setting}" in loupe.model.${role} is neither a model of the catalogue nor the path of a GGUF file.`, 'Choose a model with "Loupe: Choose Model".') };
  }
  if (role === 'completion' && !entry.roles.includes('completion')) {
    return { problem: makeError('model.noFillInMiddle', `${entry.name} cannot fill in the middle, which inline suggestions need.`, 'Set loupe.model.completion to qwen2.5-coder-0.5b or to auto.') };
  }
  const model = installed.models.find((m) => m.entry?.id === entry.id);
  if (model) return { model };
  const broken = installed.broken.find((b) => path.basename(b.path) === entry.file);
  return { problem: broken?.error ?? makeError('model.notFound', `${entry.name} is not downloaded yet (${size(entry.sizeBytes)}).`, 'Download it with "Loupe: Choose Model".', undefined, { id: entry.id }) };
}

const noFillInMiddle = (model: InstalledModel): LoupeError =>
  makeError('model.noFillInMiddle', `${displayName(model)} cannot fill in the middle, which inline suggestions need.`, 'Set loupe.model.completion to auto, or choose a code model such as Qwen2.5-Coder.');

const tooLarge = (model: InstalledModel, fit: Fit): LoupeError =>
  makeError('model.outOfMemory', `${displayName(model)} needs about ${size(fit.need.totalBytes)} of memory: ${fit.reason}`,
    'Close other programs, choose a smaller model, or a smaller preset in loupe.kv.preset.', undefined, { needBytes: fit.need.totalBytes });

function noModel(input: ChooseInput, role: ModelRole): LoupeError {
  const best = recommended(input.hardware, role, input.settings, input.ownBytes, input.engine)[0];
  const what = role === 'chat' ? 'No chat model is installed.' : 'No model for inline suggestions is installed.';
  const next = best ? `Download ${best.entry.name} (${size(best.entry.sizeBytes)}) with "Loupe: Choose Model", or choose a GGUF file of your own.` : 'Choose a GGUF file with "Loupe: Choose a GGUF File".';
  const broken = input.installed.broken[0];
  return makeError(broken && role === 'chat' ? broken.error.code : 'model.none', broken && role === 'chat' ? `${what} ${broken.error.message}` : what, next,
    undefined, best ? { id: best.entry.id } : undefined);
}

/** The context with which a model would run in chat, beside nothing else of Loupe. */
export function contextFor(model: InstalledModel, hardware: Hardware, settings: ModelSettings, ownBytes = 0, engine?: KvEngine): Fit {
  const storage = storageOf(settings, engine);
  return largestContext(fitModel(model), memoryBudget(hardware, ownBytes), storage(fitModel(model)), settings['loupe.model.contextSize']);
}

export interface Recommendation { readonly entry: CatalogueEntry; readonly fit: Fit; readonly reason: string }

/** Catalogue models that can be downloaded and fit this machine, the recommended one first. */
export function recommended(hardware: Hardware, role: ModelRole, settings: ModelSettings, ownBytes = 0, engine?: KvEngine): readonly Recommendation[] {
  const budget = memoryBudget(hardware, ownBytes);
  const storage = storageOf(settings, engine);
  const gpu = hasGpu(hardware, settings);
  const slow = (entry: CatalogueEntry): boolean => !gpu && activeBytes(entry) > slowActiveBytes;
  return catalogue.filter((entry) => entry.url && entry.roles.includes(role))
    .map((entry) => ({ entry, fit: largestContext(entryFit(entry), budget, storage(entryFit(entry)), role === 'completion' ? completionContext : 0) }))
    .filter(({ fit }) => fit.fits)
    .sort((a, b) => Number(slow(a.entry)) - Number(slow(b.entry)) || (role === 'completion' && !gpu ? a.entry.sizeBytes - b.entry.sizeBytes : b.entry.rank - a.entry.rank))
    .map(({ entry, fit }) => ({ entry, fit, reason: slow(entry) ? `Fits, but would be slow without a graphics processor. ${fit.reason}` : fit.reason }));
}
