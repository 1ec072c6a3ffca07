import { LoupeFailure, makeError, messageOf } from '../../base/errors.js';
import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import type { Result } from '../../base/result.js';
import { kvCacheBytes } from '../../model/fit.js';
import { presetFormat } from '../../model/kvPresets.js';
import { type Identity, mostBorders, refusal } from '../snapshots/descriptor.js';
import type { Entry, Progress, SnapshotStore } from '../snapshots/store.js';
import { chainHashes } from '../snapshots/tokenChain.js';
import { usableContext } from './prompt.js';
import type { RoleRuntime } from './roleRuntime.js';
import type { Lane } from './scheduler.js';
import type { SequenceState } from './sequenceState.js';

/** A saved state, and the border up to which it is a prefix of the prompt. */
export interface Found { readonly entry: Entry; readonly tokens: number }

/** The most that is checked when a model is loaded: a fifth of a second, and pages that the system keeps in memory. */
const preparedBytes = 400 * 1000 ** 2;

export interface Saving {
  /** The engine has written the state; the sequence may go on. Never rejects. */
  readonly written: Promise<void>;
  readonly done: Promise<Result<Entry>>;
}

export interface SnapshotDeps { readonly store: SnapshotStore; readonly clock: Clock; readonly logger: Logger; readonly engine: Pick<Identity, 'engine' | 'formatVersion'> }

/** Finds, loads and saves the KV states of one role's model. */
export class RoleSnapshots {
  private known: Promise<Identity> | undefined;

  constructor(private readonly role: RoleRuntime, private readonly deps: SnapshotDeps, private readonly modelHash: () => Promise<string>) {}

  /**
   * The saved state with the longest border of `prompt` that lies after `moreThan` tokens and not after `most`. In a cache that forgets only the end of
   * a state is a border: the window before the others was not saved. `memory`: only what is saved under this name. Nothing that goes wrong here is worth more than a line in the log.
   */
  async find(prompt: readonly number[], moreThan: number, most: number, memory?: string): Promise<Found | undefined> {
    try {
      return await this.longest(prompt, moreThan, most, memory);
    } catch (thrown) {
      this.deps.logger.log('warn', 'The saved KV states cannot be looked through', { error: messageOf(thrown) });
      return undefined;
    }
  }

  private async longest(prompt: readonly number[], moreThan: number, most: number, memory: string | undefined): Promise<Found | undefined> {
    const { loaded, context } = this.role;
    const mine = (await this.deps.store.list()).filter(({ descriptor }) => descriptor.model.bytes === loaded.fileBytes && (memory === undefined || descriptor.memory === memory) && descriptor.tokens <= usableContext(context.contextSize));
    if (mine.length === 0) return undefined; // so that a model file is not hashed for nothing
    const identity = await this.identity();
    const forgets = this.forgets();
    const borders = mine.filter(({ descriptor }) => refusal(descriptor, identity) === undefined).flatMap((entry) =>
      (forgets ? entry.descriptor.borders.slice(-1) : entry.descriptor.borders).filter(({ tokens }) => tokens > moreThan && tokens <= most).map((border) => ({ entry, ...border })));
    const ends = [...new Set(borders.map(({ tokens }) => tokens))].sort((a, b) => a - b);
    const hashes = chainHashes(prompt, ends);
    const valid = borders.filter(({ tokens, hash }) => hashes[ends.indexOf(tokens)] === hash);
    valid.sort((a, b) => b.tokens - a.tokens || a.entry.bytes - b.entry.bytes);
    return valid[0];
  }

  /** Checks the states that this model could load, the latest first, so that the first question does not wait for it. */
  async prepare(signal: AbortSignal): Promise<void> {
    const { store, logger } = this.deps;
    try {
      const mine = (await store.list()).filter(({ descriptor }) => descriptor.model.bytes === this.role.loaded.fileBytes);
      if (mine.length === 0) return;
      const identity = await this.identity();
      let left = preparedBytes;
      for (const entry of mine) {
        if (refusal(entry.descriptor, identity) !== undefined || entry.bytes > left) continue;
        left -= entry.bytes;
        await store.verify(entry, signal, () => undefined);
      }
    } catch (thrown) {
      if (!signal.aborted) logger.log('warn', 'The saved KV states cannot be checked', { error: messageOf(thrown) });
    }
  }

  /** Loads it into the sequence. Returns the tokens of `prompt` that are there then; 0 when the state turned out to be unusable, which is logged and costs no more than reading the files again. */
  async load(found: Found, prompt: readonly number[], state: SequenceState, lane: Lane, signal: AbortSignal, onProgress: Progress): Promise<number> {
    const { entry } = found;
    const { store, logger, clock } = this.deps;
    const began = clock.monotonic();
    const verified = await store.verify(entry, signal, (done, total) => onProgress(Math.round((found.tokens * done) / total), found.tokens));
    if (!verified.ok) return 0;
    const verifyMs = Math.round(clock.monotonic() - began);
    return lane.step(async () => {
      try {
        const start = clock.monotonic();
        const shared = await state.load(entry.path, prompt);
        logger.log('info', 'Loaded a KV state', { tokens: shared, bytes: entry.bytes, verifyMs, loadMs: Math.round(clock.monotonic() - start) });
        if (shared >= found.tokens && await store.isAsVerified(entry)) {
          await store.touch(entry);
          return shared;
        }
        logger.log('warn', 'A saved KV state changed while it was read', { path: entry.path, shared, expected: found.tokens });
      } catch (thrown) {
        await store.discard(entry.path, makeError('snapshot.damaged', 'The engine cannot load a saved state.', 'Loupe reads the files again.', messageOf(thrown)));
      }
      await state.clear();
      return 0;
    });
  }

  /** Saves what the sequence holds. `borders`: ends of blocks; those after the end of the sequence do not count. */
  save(memory: string, state: SequenceState, borders: readonly number[], lane: Lane, signal: AbortSignal, onProgress: Progress): Saving {
    let release: () => void = () => undefined;
    const written = new Promise<void>((resolve) => { release = resolve; });
    const done = this.saveWhole(memory, state, borders, lane, signal, onProgress, release).finally(release);
    return { written, done };
  }

  /**
   * Removes states of this memory that a later save made useless: those that are no prefix of `tokens`, and, where any border of a state will do, shorter ones.
   */
  async supersede(memory: string, latest: Entry, tokens: readonly number[]): Promise<void> {
    const identity = await this.identity();
    const forgets = this.forgets();
    await this.deps.store.forget(memory, ({ path, descriptor }) => {
      if (path === latest.path || refusal(descriptor, identity) !== undefined) return true;
      const end = descriptor.borders.at(-1);
      return forgets && end !== undefined && end.tokens <= tokens.length && chainHashes(tokens, [end.tokens])[0] === end.hash;
    });
  }

  forgets(): boolean {
    return this.role.pool.all.some(({ sequence }) => sequence.needsCheckpoints);
  }

  private async saveWhole(
    memory: string, state: SequenceState, borders: readonly number[], lane: Lane, signal: AbortSignal, onProgress: Progress, written: () => void,
  ): Promise<Result<Entry>> {
    const { tokens } = state;
    const identity = await this.identity();
    const inner = borders.filter((end) => end < tokens.length);
    const ends = [...inner.slice(Math.max(0, inner.length - mostBorders + 1)), tokens.length];
    const hashes = chainHashes(tokens, ends);
    const { shape, loaded } = this.role;
    const snapshot = {
      ...identity, memory, tokens: tokens.length, borders: ends.map((end, i) => ({ tokens: end, hash: hashes[i] ?? '' })),
      f16Bytes: kvCacheBytes(shape.kv, tokens.length, presetFormat('exact', shape)), createdAt: this.deps.clock.now(),
    };
    const expected = kvCacheBytes(shape.kv, tokens.length, loaded.kv);
    return this.deps.store.save(snapshot, expected, async (path) => {
      try {
        return await lane.step(() => state.save(path));
      } finally {
        written();
      }
    }, signal, onProgress);
  }

  private identity(): Promise<Identity> {
    return (this.known ??= this.identify().catch((thrown: unknown) => {
      this.known = undefined;
      throw thrown;
    }));
  }

  private async identify(): Promise<Identity> {
    const { loaded, shape } = this.role;
    const { engine, formatVersion } = this.deps.engine;
    try {
      return { model: { sha256: await this.modelHash(), name: loaded.name.slice(0, 300), bytes: loaded.fileBytes }, engine, formatVersion, kv: loaded.kv, shape: JSON.stringify([shape.architecture, shape.layers, shape.kv]).slice(0, 300) };
    } catch (thrown) {
      throw new LoupeFailure(makeError('model.notFound', `The model file ${loaded.path} cannot be read any more.`, 'Choose the model again.', thrown));
    }
  }
}
