import type { Clock } from '../../base/clock.js';

/** How long a slice of prefill may take while a completion may come: it would have to wait for the rest of it. */
const shortSliceMs = 200;
/** And otherwise: bounds the time until a cancelled request ends. */
const longSliceMs = 1000;
const shortest = 16;
/** After a completion, more are to be expected for this long. */
const typingMs = 20_000;

/** Chooses how many tokens of a prompt to evaluate in one step, from the speed measured so far. */
export class SliceSize {
  private tokensPerMs: number | undefined;
  private lastCompletion = Number.NEGATIVE_INFINITY;

  constructor(private readonly longest: number, private readonly clock: Clock) {}

  completionSeen(): void {
    this.lastCompletion = this.clock.monotonic();
  }

  next(): number {
    const budget = this.clock.monotonic() - this.lastCompletion < typingMs ? shortSliceMs : longSliceMs;
    const tokens = this.tokensPerMs === undefined ? 64 : Math.floor(this.tokensPerMs * budget);
    // Whole blocks keep the matrix kernels busy; the first slice after the start only measures.
    return Math.max(shortest, Math.min(this.longest, Math.floor(tokens / 16) * 16));
  }

  measured(tokens: number, ms: number): void {
    if (tokens < shortest || ms <= 0) return; // a short tail says nothing about a full slice
    const speed = tokens / ms;
    this.tokensPerMs = this.tokensPerMs === undefined ? speed : this.tokensPerMs * 0.5 + speed * 0.5;
  }
}
