import type { Token } from 'node-llama-cpp';
import type { Clock } from '../../base/clock.js';
import type { Lane } from './scheduler.js';
import type { SequenceState } from './sequenceState.js';
import type { SliceSize } from './sliceSize.js';

export interface PrefillDeps {
  readonly lane: Lane;
  readonly state: SequenceState;
  readonly slices: SliceSize;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onProgress: (phase: 'restore' | 'prefill', done: number, total: number) => void;
}

export interface Prefilled {
  /** The last tokens of the prompt, still to be evaluated together with the first new token. */
  readonly tail: Token[];
  readonly cached: number;
  readonly restoreMs: number;
  readonly prefillMs: number;
}

/** A cache that forgets gets a checkpoint at the end of the prompt, when the prompt grew by at least this much. */
const checkpointWorth = 64;

/** Brings the sequence to the prompt's last slice: cuts it to the shared prefix, then evaluates the rest in steps. Throws when aborted. */
export async function prefill(deps: PrefillDeps, prompt: readonly Token[]): Promise<Prefilled> {
  const { lane, state, slices, clock, signal } = deps;
  let began = clock.monotonic();
  const cached = await lane.step(() => state.align(prompt));
  const restoreMs = clock.monotonic() - began;
  deps.onProgress('restore', cached, prompt.length);

  const { sequence } = state;
  const checkpointFirst = sequence.needsCheckpoints && prompt.length - cached >= checkpointWorth;
  const waitedBefore = lane.waitedMs;
  began = clock.monotonic();
  let done = cached;
  const end = checkpointFirst ? prompt.length - 1 : prompt.length;
  for (;;) {
    signal.throwIfAborted();
    const left = end - done;
    const size = slices.next(left);
    if (size === prompt.length - done || left === 0) break;
    await lane.step(async () => {
      const start = clock.monotonic();
      await sequence.evaluateWithoutGeneratingNewTokens(prompt.slice(done, done + size));
      slices.measured(size, clock.monotonic() - start);
    });
    done += size;
    deps.onProgress('prefill', done - cached, prompt.length - cached);
  }
  if (checkpointFirst) await lane.step(() => state.checkpoint());
  return {
    tail: prompt.slice(done), cached, restoreMs,
    prefillMs: clock.monotonic() - began - (lane.waitedMs - waitedBefore),
  };
}
