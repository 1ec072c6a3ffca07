import type { LlamaContextSequence } from 'node-llama-cpp';

const keptCheckpoints = 4;
export const checkpointOptions = { max: keptCheckpoints, interval: false } as const;

/**
 * One sequence of a context: which tokens its KV cache holds, and how to go back to a prefix of them.
 *
 * A sliding-window cache forgets what left the window, so a plain cut is exact only while all of the window before the cut is
 * still there (the condition of llama.cpp's server: first position kept <= cut - window). Otherwise the state must come from
 * a checkpoint. node-llama-cpp restores one only when the cut lies at or before the first position kept, so those are
 * the only cuts asked for; what it does is read back from the sequence, never assumed.
 */
export class SequenceState {
  conversation: string | undefined;
  lastUsed = 0;
  private checkpoints: number[] = [];

  constructor(readonly sequence: LlamaContextSequence, private readonly window: number | undefined) {}

  get tokens(): readonly number[] {
    return this.sequence.contextTokens;
  }

  /** Tokens that `prompt` shares with the cache, from the start. */
  sharedWith(prompt: readonly number[]): number {
    const cached = this.tokens;
    const end = Math.min(cached.length, prompt.length);
    let shared = 0;
    while (shared < end && cached[shared] === prompt[shared]) shared++;
    return shared;
  }

  /** Cuts the cache to a prefix of `prompt` that leaves at least one token to evaluate. Returns the tokens it really kept. */
  async align(prompt: readonly number[]): Promise<number> {
    const wanted = Math.min(this.sharedWith(prompt), prompt.length - 1);
    if (wanted < this.sequence.nextTokenIndex) {
      const keep = this.sequence.needsCheckpoints ? this.restorable(wanted) : wanted;
      if (keep === 0) await this.sequence.clearHistory();
      else await this.sequence.adaptStateToTokens(prompt.slice(0, keep) as number[] & typeof this.sequence.contextTokens, false);
      this.checkpoints = this.checkpoints.filter((position) => position < this.sequence.nextTokenIndex);
    }
    return this.sequence.nextTokenIndex;
  }

  /** Keeps the present state, so that a later request can come back to it. Costs memory only where the cache forgets. */
  async checkpoint(): Promise<void> {
    const position = this.sequence.nextTokenIndex - 1;
    if (!this.sequence.needsCheckpoints || position < 0 || this.checkpoints.includes(position)) return;
    await this.sequence.takeCheckpoint();
    this.checkpoints = [...this.checkpoints, position].slice(-keptCheckpoints);
  }

  private restorable(wanted: number): number {
    return restorablePrefix(wanted, this.sequence.stateCellsStartIndex, this.window, this.checkpoints);
  }
}

/**
 * The longest prefix of at most `wanted` tokens whose state can be had exactly.
 * @param first first position that the window layers still keep
 * @param window tokens of the sliding window; undefined for a recurrent model, whose state cannot be cut at all
 * @param checkpoints last positions of the states kept
 */
export function restorablePrefix(wanted: number, first: number, window: number | undefined, checkpoints: readonly number[]): number {
  if (window !== undefined && first <= Math.max(0, wanted - window)) return wanted;
  return Math.max(0, ...checkpoints.map((position) => position + 1).filter((length) => length <= wanted && length <= first));
}
