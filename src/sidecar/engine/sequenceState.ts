import type { LlamaContextSequence } from 'node-llama-cpp';
import { compactWindow } from './windowLayout.js';

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
  /** One more than the highest position stored since the cache was last filled from a saved state or from nothing. */
  private stored = 0;
  /** Tokens that a saved state brought: of their f16 rows only those are there that the token after them reads. */
  private loaded = 0;
  /** What came from disk and no request has used yet. */
  private fromDisk = { tokens: 0, ms: 0 };
  /** From here on the tokens were read ahead, and no request has used them yet. */
  private aheadFrom = Number.POSITIVE_INFINITY;

  /** @param cutExactly tokens that may be cut off a compressed cache before the newest of the rest are no longer there in f16 */
  constructor(readonly sequence: LlamaContextSequence, private readonly window: number | undefined, private readonly cutExactly = Number.POSITIVE_INFINITY) {}

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

  /** Tokens of `prompt` that `align` would keep, of at most `most`, and whether they would be read as when they were new. */
  keeps(prompt: readonly number[], most: number): { readonly tokens: number; readonly exactly: boolean } {
    const wanted = Math.min(this.sharedWith(prompt), most);
    if (wanted >= this.sequence.nextTokenIndex) return { tokens: wanted, exactly: true };
    const tokens = this.sequence.needsCheckpoints ? this.restorable(wanted) : wanted;
    // One below what was loaded is exact, too: its last token is often evaluated again.
    const exactly = Math.max(this.stored, this.sequence.nextTokenIndex) - tokens <= this.cutExactly && (this.cutExactly === Number.POSITIVE_INFINITY || tokens >= this.loaded - 1);
    return { tokens, exactly };
  }

  /** Cuts the cache to a prefix of `prompt` of at most `most` tokens; one is left to evaluate unless the caller says otherwise. Returns the tokens it really kept. */
  async align(prompt: readonly number[], most = prompt.length - 1): Promise<number> {
    const wanted = Math.min(this.sharedWith(prompt), most);
    this.stored = Math.max(this.stored, this.sequence.nextTokenIndex);
    if (wanted < this.sequence.nextTokenIndex) {
      const keep = this.sequence.needsCheckpoints ? this.restorable(wanted) : wanted;
      if (keep === 0) await this.clear();
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

  /**
   * Fills the sequence from a file of the engine. Returns the tokens that it then shares with `prompt`. Throws what the engine throws, and leaves the
   * sequence empty then. The file must come from this model and format: native code does not check enough.
   */
  async load(path: string, prompt: readonly number[]): Promise<number> {
    await this.clear(); // else checkpoints of other tokens would stay
    try {
      await this.sequence.loadStateFromFile(path, { acceptRisk: true });
    } catch (thrown) {
      await this.clear();
      throw thrown;
    }
    this.loaded = this.sequence.nextTokenIndex;
    await this.checkpoint();
    return this.sharedWith(prompt);
  }

  /** Brings the cache into the layout that it would have after loading this very state, so that what follows is the same to the last bit. Call it at a border. */
  async settle(): Promise<void> {
    if (!this.sequence.needsCheckpoints || this.sequence.nextTokenIndex === 0) return;
    await this.checkpoint();
    const length = this.sequence.nextTokenIndex;
    if (this.window !== undefined) await compactWindow(this.sequence);
    this.stored = length;
  }

  /** What is evaluated from here on is read ahead of the request that will use it. */
  markAhead(from: number): void {
    this.aheadFrom = from;
  }

  /** Tokens among the first `cached` that were read ahead; they count for one request only. */
  takeAhead(cached: number): number {
    const ahead = Math.max(0, cached - this.aheadFrom);
    this.aheadFrom = Number.POSITIVE_INFINITY;
    return ahead;
  }

  /** A saved state brought `tokens` in `ms`, maybe long before somebody asks. */
  noteRestored(tokens: number, ms: number): void {
    this.fromDisk = { tokens, ms };
  }

  /** What of the first `cached` tokens came from disk, and how long that took; it counts for one request only. */
  takeRestored(cached: number): { readonly tokens: number; readonly ms: number } {
    const { tokens, ms } = this.fromDisk;
    this.fromDisk = { tokens: 0, ms: 0 };
    return { tokens: Math.min(tokens, cached), ms };
  }

  /** Writes the sequence into a file, as it is. Returns the bytes written. */
  async save(path: string): Promise<number> {
    return (await this.sequence.saveStateToFile(path)).fileSize;
  }

  async clear(): Promise<void> {
    // A failed load leaves cells that node-llama-cpp does not count: only an erasure of something makes it clear them.
    await this.sequence.clearHistory();
    this.checkpoints = [];
    this.stored = 0;
    this.loaded = 0;
    this.fromDisk = { tokens: 0, ms: 0 };
    this.aheadFrom = Number.POSITIVE_INFINITY;
  }

  /** Tokens that the engine evaluated in this sequence since it was made. */
  get evaluated(): number {
    const { usedInputTokens, usedOutputTokens } = this.sequence.tokenMeter;
    return usedInputTokens + usedOutputTokens;
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
