import type { LoupeError } from '../../base/errors.js';
import { LoupeFailure } from '../../base/errors.js';
import type { PrefixStats, RememberResult, SnapshotInfo } from '../../protocol/memory.js';
import type { RememberParams, RestoreParams } from '../../protocol/sidecar.js';
import { infoOf } from '../snapshots/store.js';
import type { GenerationContext, GenerationEvents } from './generation.js';
import { Evaluation, type PrefillDeps, reuse } from './prefill.js';
import { type Prompt, promptTokens } from './prompt.js';
import type { SequenceState } from './sequenceState.js';
import { tile } from './sliceSize.js';

/** What was read is saved at least this often: a crash or a closed editor costs no more. */
const saveEveryMs = 60_000;
/** Fewer new tokens than this are not worth a file when the sequence must be given up. */
const saveWorth = 1024;
/** In a cache that forgets, a state serves only prompts that hold all of it: so some more are saved, closer together towards the end, which changes most. */
const innerShares = [1 / 2, 3 / 4, 7 / 8];

/**
 * Has the prompt's KV state in memory and on disk, reading as little as possible. Runs behind everything else, and gives its sequence up when somebody
 * waits for it. A state that cannot be saved is a failure only when nothing could be: what is in memory serves until it is needed for something else.
 */
export async function remember(context: GenerationContext, request: RememberParams, events: GenerationEvents): Promise<RememberResult> {
  const { role, signal } = context;
  const prompt = promptTokens(role.model, request.prompt, role.context.contextSize);
  const work = new Remembering(context, request.memory, prompt, events);
  for (;;) {
    const state = await role.pool.take(`memory:${request.memory}`, prompt.tokens, signal);
    let finished = false;
    try {
      finished = await work.on(state);
    } finally {
      state.conversation = undefined; // whoever asks next with this prefix may have it
      role.pool.release(state);
    }
    if (!finished) continue;
    return work.end();
  }
}

/** Loads what there is of the prompt on disk into the sequence of its conversation. */
export async function restore(context: GenerationContext, request: RestoreParams, events: GenerationEvents): Promise<PrefixStats> {
  const { role, signal } = context;
  const { tokens } = promptTokens(role.model, request.prompt, role.context.contextSize);
  const state = await role.pool.take(request.conversation, tokens, signal);
  try {
    const { cached, restored, restoreMs } = await reuse(prefillDeps(context, state, events), tokens, tokens.length);
    return { ...noStats, tokens: tokens.length, reused: cached, restored, restoreMs };
  } finally {
    role.pool.release(state);
  }
}

export const noStats: PrefixStats = { tokens: 0, reused: 0, restored: 0, prefilled: 0, restoreMs: 0, prefillMs: 0, saveMs: 0, engineSaveMs: 0 };

const prefillDeps = ({ lane, clock, signal, role }: GenerationContext, state: SequenceState, events: GenerationEvents): PrefillDeps =>
  ({ lane, state, clock, signal, slices: role.slices, snapshots: role.snapshots, onProgress: events.onProgress.bind(events) });

class Remembering {
  private readonly stats: { -readonly [K in keyof PrefixStats]: number };
  private readonly saved: SnapshotInfo[] = [];
  private readonly stops: readonly number[];
  private first = true;
  /** Tokens in the last state that was saved here. */
  private heldAtSave = 0;
  /** Tokens that a crash would not cost. */
  private onDisk = 0;
  private failed: LoupeError | undefined;
  private sealing: Promise<void> = Promise.resolve();

  constructor(private readonly context: GenerationContext, private readonly memory: string, private readonly prompt: Prompt, private readonly events: GenerationEvents) {
    const { length } = prompt.tokens;
    this.stats = { ...noStats, tokens: length };
    const inner = context.role.snapshots.forgets() ? innerShares.map((share) => prompt.borders.find((end) => end >= share * length)) : [];
    // On whole tiles, a little before the border: a slice that ends elsewhere shifts those after it, and all is rounded otherwise than in one reading.
    const whole = inner.filter((end) => end !== undefined && end >= tile).map((end = 0) => end - (end % tile));
    this.stops = [...new Set([...whole, length])].sort((a, b) => a - b);
  }

  /** Works until all is read (true), or somebody else wants the sequence (false). */
  async on(state: SequenceState): Promise<boolean> {
    const { lane, clock, signal, role } = this.context;
    const { tokens } = this.prompt;
    const deps = prefillDeps(this.context, state, this.events);
    const found = await reuse(deps, tokens, tokens.length);
    this.stats.restoreMs += found.restoreMs;
    if (this.first) Object.assign(this.stats, { reused: found.cached, restored: found.restored });
    this.first = false;
    this.onDisk = Math.max(this.onDisk, found.restored);
    const evaluation = new Evaluation(deps, tokens, found.cached);
    let lastSave = clock.monotonic();
    for (const stop of this.stops.filter((end) => end > found.cached)) {
      while (evaluation.done < stop) {
        const wanted = role.pool.isWanted(state);
        const due = evaluation.done - this.onDisk >= saveWorth && (wanted || clock.monotonic() - lastSave > saveEveryMs);
        if (due) {
          await this.save(state);
          lastSave = clock.monotonic();
        }
        if (wanted) return false;
        const [began, waited, evaluated] = [clock.monotonic(), lane.waitedMs, state.evaluated];
        await evaluation.slice(stop);
        this.stats.prefillMs += clock.monotonic() - began - (lane.waitedMs - waited);
        this.stats.prefilled += state.evaluated - evaluated;
      }
      signal.throwIfAborted();
      // Only at the end: settled in between, the cells of what follows would lie otherwise than in a prompt read in one go.
      if (stop === tokens.length) await lane.step(() => state.settle());
      await this.save(state);
    }
    // It may all have been in the cache already, or be saved as another memory's, which is forgotten without this one.
    if (this.heldAtSave < tokens.length && !(await role.snapshots.find(tokens, tokens.length - 1, tokens.length, this.memory))) await this.save(state);
    return true;
  }

  async end(): Promise<RememberResult> {
    await this.sealing;
    const { saved, failed } = this;
    if (saved.length === 0 && failed !== undefined) throw new LoupeFailure(failed);
    return { stats: this.stats, saved };
  }

  /** Returns as soon as the engine has written the state; the rest of the work on the file goes on beside what comes next. */
  private async save(state: SequenceState): Promise<void> {
    await this.sealing; // one file at a time
    const { role, lane, clock, signal } = this.context;
    const began = clock.monotonic();
    const held = state.sequence.nextTokenIndex;
    const saving = role.snapshots.save(this.memory, state, this.prompt.borders, lane, signal, (done, total) => this.events.onProgress('save', done, total));
    this.heldAtSave = this.onDisk = held;
    this.sealing = saving.done.then(async (result) => {
      this.stats.saveMs += clock.monotonic() - began;
      if (!result.ok) {
        this.failed = result.error;
        return;
      }
      this.saved.push(infoOf(result.value));
      await role.snapshots.supersede(this.memory, result.value, this.prompt.tokens);
    });
    this.sealing.catch(() => undefined); // an abort ends the work that awaits it, too
    await saving.written;
    this.stats.engineSaveMs += clock.monotonic() - began;
  }
}
