import type { LoupeError } from '../../base/errors.js';
import type { Result } from '../../base/result.js';
import type { TurnMemory } from '../../agent/turn.js';
import type { Timers } from '../../agent/timers.js';
import type { LocalModel } from '../../model/chatModel.js';
import type { EngineMemory } from '../../model/engine.js';
import type { MemoryPlan } from '../../protocol/context.js';
import type { SnapshotInfo } from '../../protocol/memory.js';
import type { ProgressParams, PromptSegment } from '../../protocol/sidecar.js';
import type { LoadedChat } from '../models/modelService.js';
import type { RepositoryIndexClient } from './contextClient.js';
import type { MemoryState } from './memoryState.js';

/** A repository to be remembered for a model. */
export interface Target {
  /** Another key is another memory: folder, model, how its cache is stored, and the budget. */
  readonly key: string;
  /** URI and path of a workspace folder. */
  readonly uri: string;
  readonly folder: string;
  readonly chat: LoadedChat;
  /** Most tokens of the blocks. */
  readonly budget: number;
}

/** What is in the cache or on disk, ready for a conversation. */
export interface Warm {
  readonly memory: TurnMemory;
  /** Of the last block: says that a prefix is the same. */
  readonly chain: string;
  readonly budget: number;
  /** Tokens of the blocks; the prompt with instructions and tools before them has `tokens`. */
  readonly blockTokens: number;
  readonly tokens: number;
  /** On disk. */
  readonly bytes: number;
}

export type Outcome =
  | { readonly is: 'warm'; readonly warm: Warm }
  /** `incomplete`: not all of it is saved, and nothing may be read now. */
  | { readonly is: 'unchanged' | 'incomplete' | 'nothing' | 'removed' }
  | { readonly is: 'failed'; readonly error: LoupeError };

export interface RememberDeps {
  readonly index: Pick<RepositoryIndexClient, 'plan'>;
  readonly prefixes: () => Promise<EngineMemory>;
  /** What every prompt of a chat in this folder begins with; see `turnPrefix`. */
  readonly prompt: (model: LocalModel, folder: string, memory: TurnMemory) => PromptSegment[];
  /** Most bytes of all memories on disk. */
  readonly diskBytes: () => number;
  /** Never rejects. */
  readonly onBattery: () => Promise<boolean>;
  readonly timers: Timers;
  readonly newId: () => string;
}

export interface RememberOptions {
  /** Only take what is saved: nobody has paused yet. */
  readonly savedOnly: boolean;
  /** What is warm already. */
  readonly before: Warm | undefined;
  /** The user asked for it: whatever feeds the machine. May become true while it runs. */
  readonly explicit: () => boolean;
  readonly show: (state: MemoryState) => void;
}

/** How often the battery is looked at while the engine reads. */
const powerEveryMs = 30_000;

/** A memory's name in the sidecar: the folder. Longer ones than it takes are told apart by their end. */
export const memoryName = (folder: string): string => folder.slice(-200);

/** The blocks of a plan as a conversation takes them. */
export const turnMemory = ({ mode, blocks }: Pick<MemoryPlan, 'mode' | 'blocks'>): TurnMemory => ({ mode, blocks: blocks.map(({ text }) => text) });

/** Asks for the plan, and has the engine read what of it is not saved. Reads nothing on a battery. Never rejects but for a broken part. */
export async function rememberOnce(deps: RememberDeps, target: Target, options: RememberOptions, signal: AbortSignal): Promise<Outcome> {
  const { before, explicit, show } = options;
  const prefixes = await deps.prefixes();
  const name = memoryName(target.folder);
  if (options.savedOnly) {
    const list = await prefixes.list();
    if (!list.ok) return { is: 'failed', error: list.error };
    if (!list.value.snapshots.some(({ memory }) => memory === name)) return { is: 'incomplete' };
  }
  const planned = await deps.index.plan({ folder: target.folder, role: 'chat', budget: target.budget, keep: false }, signal);
  if (!planned.ok) return { is: 'failed', error: planned.error };
  const plan = planned.value;
  const chain = plan.blocks.at(-1)?.chain;
  if (chain === undefined || plan.files.indexed === 0) return { is: 'nothing' };
  if (before?.chain === chain) {
    const there = await savedStates(prefixes, name, target, before.tokens);
    if (!there.ok) return { is: 'failed', error: there.error };
    if (there.value > 0) return { is: 'unchanged' };
    if (!explicit()) return { is: 'removed' };
  }
  const budget = await prefixes.setBudget(deps.diskBytes());
  if (!budget.ok) return { is: 'failed', error: budget.error };
  const memory = turnMemory(plan);
  const prompt = deps.prompt(target.chat.model, target.uri, memory);
  const unplugged = !options.savedOnly && !explicit() && await deps.onBattery();
  const tokens = await (options.savedOnly || unplugged
    ? restoreAll(deps, prefixes, name, prompt, signal)
    : read(deps, prefixes, name, prompt, plan.tokens, options, signal));
  if (!tokens.ok) return { is: 'failed', error: tokens.error };
  if (tokens.value === 'incomplete') {
    if (before === undefined && !options.savedOnly) show({ state: 'waiting', until: 'power' });
    return { is: 'incomplete' };
  }
  const bytes = await savedStates(prefixes, name, target, tokens.value);
  if (!bytes.ok) return { is: 'failed', error: bytes.error };
  return { is: 'warm', warm: { memory, chain, budget: target.budget, blockTokens: plan.tokens, tokens: tokens.value, bytes: bytes.value } };
}

/** Takes what is saved, when that is all; costs milliseconds. */
async function restoreAll(deps: RememberDeps, prefixes: EngineMemory, name: string, prompt: PromptSegment[], signal: AbortSignal): Promise<Result<number | 'incomplete'>> {
  const restored = await prefixes.restore({ id: deps.newId(), role: 'chat', conversation: `memory:${name}`, prompt }, {}, signal);
  if (!restored.ok) return restored;
  const { tokens, reused } = restored.value;
  return { ok: true, value: reused >= tokens ? tokens : 'incomplete' };
}

async function read(
  deps: RememberDeps, prefixes: EngineMemory, name: string, prompt: PromptSegment[], expected: number, { explicit, show }: RememberOptions, signal: AbortSignal,
): Promise<Result<number | 'incomplete'>> {
  const unplugged = new AbortController();
  const watch = deps.timers.every(powerEveryMs, () => {
    if (explicit()) return;
    void deps.onBattery().then((battery) => {
      if (battery && !explicit()) unplugged.abort();
    });
  });
  const progress = warmingProgress(expected, (done, total) => show({ state: 'warming', done, total }));
  try {
    const result = await prefixes.remember({ id: deps.newId(), role: 'chat', prompt, memory: name }, { onProgress: progress }, AbortSignal.any([signal, unplugged.signal]));
    if (result.ok) return { ok: true, value: result.value.stats.tokens };
    return unplugged.signal.aborted && !signal.aborted ? { ok: true, value: 'incomplete' } : result;
  } finally {
    watch.dispose();
  }
}

/** The sidecar counts from what it found; people want to know how much of all is there. */
function warmingProgress(expected: number, show: (done: number, total: number) => void): (progress: Pick<ProgressParams, 'phase' | 'done' | 'total'>) => void {
  let all = expected;
  show(0, all);
  return ({ phase, done, total }) => {
    if (phase === 'restore') {
      all = Math.max(all, total);
      show(Math.min(done, all), all);
    } else if (phase === 'prefill') {
      all = Math.max(all, total);
      show(all - total + done, all);
    }
  };
}

/** Bytes of the saved states of which one holds `tokens`; 0: that one is not there. */
async function savedStates(prefixes: EngineMemory, name: string, { chat }: Target, tokens: number): Promise<Result<number>> {
  const list = await prefixes.list();
  if (!list.ok) return list;
  const { keys, values } = chat.loaded.kv;
  const mine = list.value.snapshots.filter(({ memory, kv }) => memory === name && kv.keys === keys && kv.values === values);
  const whole = mine.find((state) => state.tokens === tokens);
  const isOfSame = (state: SnapshotInfo): boolean => state.model === whole?.model;
  return { ok: true, value: mine.filter(isOfSame).reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** A failure that is likely to go away by itself: the sidecar is on its way back, and so is what was loaded in it. */
export const passes = ({ code }: LoupeError): boolean => code === 'sidecar.crashed' || code === 'model.none' || code === 'cancelled';
