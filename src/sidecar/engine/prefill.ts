import type { Clock } from '../../base/clock.js';
import type { ProgressPhase } from '../../protocol/sidecar.js';
import type { Token } from 'node-llama-cpp';
import type { Prompt } from './prompt.js';
import type { RoleSnapshots } from './roleSnapshots.js';
import type { Lane } from './scheduler.js';
import type { SequenceState } from './sequenceState.js';
import type { SliceSize } from './sliceSize.js';

export interface PrefillDeps {
  readonly lane: Lane;
  readonly state: SequenceState;
  readonly slices: SliceSize;
  readonly snapshots: RoleSnapshots;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onProgress: (phase: ProgressPhase, done: number, total: number) => void;
}

export interface Prefilled {
  /** The last tokens of the prompt, still to be evaluated together with the first new token. */
  readonly tail: Token[];
  /** Tokens that were there already, those from disk among them. */
  readonly cached: number;
  readonly restored: number;
  /** Those of `cached` that were read ahead. */
  readonly ahead: number;
  readonly restoreMs: number;
  readonly prefillMs: number;
}

/** A cache that forgets gets a checkpoint at the end of the prompt, when the prompt grew by at least this much. */
export const checkpointWorth = 64;
/** A saved state is loaded when it holds so many tokens more than the sequence does; loading costs about as much as evaluating a few. */
const restoreWorth = 32;
/** And one that holds so many fewer, when the sequence could only go back to tokens of which the newest are no longer there in f16. */
const exactWorth = 256;

/** Brings the sequence to the prompt's last slice: what is in memory or on disk is reused, the rest evaluated in steps. Throws when aborted. */
export async function prefill(deps: PrefillDeps, prompt: Prompt): Promise<Prefilled> {
  const { lane, state, clock, signal } = deps;
  const { tokens } = prompt;
  const border = prompt.borders.filter((end) => end < tokens.length).at(-1) ?? 0;
  const found = await reuse(deps, tokens, from(state, tokens, border));
  const { cached, ahead } = found;
  // What came from disk before anybody asked counts for who uses it first: what it took was taken then.
  const fromDisk = state.takeRestored(cached);
  const restored = fromDisk.tokens;
  const restoreMs = found.restoreMs + (found.restored > 0 ? 0 : fromDisk.ms);

  const waitedBefore = lane.waitedMs;
  const began = clock.monotonic();
  const evaluate = new Evaluation(deps, tokens, cached);
  if (border > cached) {
    while (evaluate.done < border) await evaluate.slice(border);
    await lane.step(() => state.settle());
  }
  const checkpointFirst = state.sequence.needsCheckpoints && tokens.length - evaluate.done >= checkpointWorth;
  const end = checkpointFirst ? tokens.length - 1 : tokens.length;
  while (evaluate.done < end && !evaluate.isLast(end, tokens.length)) await evaluate.slice(end);
  signal.throwIfAborted();
  if (checkpointFirst) await lane.step(() => state.checkpoint());
  return { tail: tokens.slice(evaluate.done), cached, restored, ahead, restoreMs, prefillMs: clock.monotonic() - began - (lane.waitedMs - waitedBefore) };
}

/**
 * The most that may be reused: another question after the same border begins there, also when its first words are those of the question before. So it
 * is evaluated in one piece, as it would be without the other.
 */
function from(state: SequenceState, tokens: readonly Token[], border: number): number {
  const shared = state.sharedWith(tokens);
  const cuts = shared < state.sequence.nextTokenIndex;
  return cuts && border > 0 && border <= shared && shared - border < checkpointWorth ? border : tokens.length - 1;
}

/** Takes of `tokens`, at most `most`, what the sequence holds or what is saved on disk. */
export async function reuse(deps: PrefillDeps, tokens: readonly Token[], most: number): Promise<Pick<Prefilled, 'cached' | 'restored' | 'ahead' | 'restoreMs'>> {
  const { lane, state, clock, signal, snapshots } = deps;
  const began = clock.monotonic();
  const waitedBefore = lane.waitedMs;
  const kept = state.keeps(tokens, most);
  const found = await snapshots.find(tokens, kept.exactly ? kept.tokens + restoreWorth : Math.max(0, kept.tokens - exactWorth), most);
  const restored = found ? await snapshots.load(found, tokens, state, lane, signal, (done, total) => deps.onProgress('restore', done, total)) : 0;
  if (restored > 0) state.noteRestored(restored, clock.monotonic() - began - (lane.waitedMs - waitedBefore));
  const cached = await lane.step(() => state.align(tokens, most));
  deps.onProgress('restore', cached, tokens.length);
  return { cached, restored: Math.min(restored, cached), ahead: state.takeAhead(cached), restoreMs: clock.monotonic() - began - (lane.waitedMs - waitedBefore) };
}

/** Evaluates tokens in steps, so that others get their turn between them. `brief`: nobody waits for it, so the steps are short. */
export class Evaluation {
  constructor(private readonly deps: Pick<PrefillDeps, 'lane' | 'state' | 'slices' | 'clock' | 'signal' | 'onProgress'>, private readonly tokens: readonly Token[], private readonly from: number, private readonly brief = false) {
    this.done = from;
  }

  done: number;

  /** Whether the next slice is the last one of the prompt, which is evaluated together with the first new token. */
  isLast(end: number, length: number): boolean {
    return this.deps.slices.next(end - this.done) === length - this.done;
  }

  /** One slice, not beyond `end`. */
  async slice(end: number): Promise<void> {
    const { lane, state, slices, clock, signal, onProgress } = this.deps;
    signal.throwIfAborted();
    const size = slices.next(end - this.done, this.brief);
    await lane.step(async () => {
      const start = clock.monotonic();
      await state.sequence.evaluateWithoutGeneratingNewTokens(this.tokens.slice(this.done, this.done + size));
      slices.measured(size, clock.monotonic() - start);
    });
    this.done += size;
    onProgress('prefill', this.done - this.from, this.tokens.length - this.from);
  }
}
