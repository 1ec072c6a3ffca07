import type { Clock } from '../../base/clock.js';

/** How long a slice of prefill may take while a completion may come, or where nobody waits for it: whatever is asked would have to wait for the rest of it. */
const shortSliceMs = 200;
/** And otherwise: bounds the time until a cancelled request ends. */
const longSliceMs = 1000;
/**
 * From this many tokens on, the engine's attention works through a batch in another way (ggml-cpu/ops.cpp, tiled), which rounds
 * differently. A prompt that is longer is therefore never cut into less: then what it gives does not depend on how large the
 * slices were, and so not on how fast or busy the machine is.
 */
export const tile = 64;
/**
 * Only a machine that needs longer than this for a tile reads less than one at once, and only after two slices like that: one alone was a stall, for example because the
 * first one after a start reads the model's weights from the disk. A processor with AVX2 only needs 2.4 seconds for
 * a model of 1.5B parameters, 4.4 beside other work: near the border the noise of the machine would decide how a prompt is rounded, and so what the answer says.
 */
const longestTileMs = 8000;
const shortest = 16;
/** After a completion, more are to be expected for this long. */
const typingMs = 20_000;

/** Chooses how many tokens of a prompt to evaluate in one step, from the speed measured so far. */
export class SliceSize {
  private tokensPerMs: number | undefined;
  private lastTwo: readonly number[] = [];
  private lastCompletion = Number.NEGATIVE_INFINITY;

  constructor(private readonly longest: number, private readonly clock: Clock) {}

  completionSeen(): void {
    this.lastCompletion = this.clock.monotonic();
  }

  /** Tokens of the next slice when `left` are to be read; all of `left` when it is the last one. `brief`: for work that nobody waits for. */
  next(left: number, brief = false): number {
    const size = this.wanted(brief);
    if (size >= left) return left;
    if (size < tile || left - size >= tile) return size;
    return size > tile ? size - tile : left; // else the rest would be less than a tile
  }

  private wanted(brief: boolean): number {
    const speed = this.tokensPerMs;
    if (speed === undefined) return Math.min(this.longest, tile); // the first slice after the start only measures
    if (this.clock.monotonic() - this.lastCompletion < typingMs) return this.within(wholes(speed * shortSliceMs, shortest));
    const least = this.lastTwo.length === 2 && Math.max(...this.lastTwo) * longestTileMs < tile ? shortest : tile;
    return this.within(Math.max(least, wholes(speed * (brief ? shortSliceMs : longSliceMs), tile)));
  }

  private within(tokens: number): number {
    return Math.max(shortest, Math.min(this.longest, tokens));
  }

  measured(tokens: number, ms: number): void {
    if (tokens < shortest || ms <= 0) return; // a short tail says nothing about a full slice
    const speed = tokens / ms;
    this.lastTwo = [...this.lastTwo.slice(-1), speed];
    this.tokensPerMs = this.tokensPerMs === undefined ? speed : this.tokensPerMs * 0.5 + speed * 0.5;
  }
}

const wholes = (tokens: number, of: number): number => Math.floor(tokens / of) * of;
