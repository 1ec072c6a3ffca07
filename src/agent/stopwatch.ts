import type { Clock } from '../base/clock.js';
import type { Disposable } from '../base/disposable.js';
import type { Timers } from './timers.js';

const tickMs = 1_000;
/** Between two ticks no working machine lets this much time pass: it slept. */
const sleepMs = 10_000;

/**
 * Working time of a turn in milliseconds: monotonic, without the time that approvals wait and without the time the machine
 * slept (some monotonic clocks go on in sleep). Calls `onLimit` once when the limit is reached.
 */
export class Stopwatch implements Disposable {
  private workedMs = 0;
  private last: number;
  private waiting = 0;
  private fired = false;
  private readonly ticker: Disposable;

  constructor(private readonly clock: Clock, timers: Timers, private readonly limitMs: number, private readonly onLimit: () => void) {
    this.last = clock.monotonic();
    this.ticker = timers.every(tickMs, () => this.elapsedMs());
  }

  elapsedMs(): number {
    const now = this.clock.monotonic();
    const gap = Math.max(0, now - this.last);
    this.last = now;
    if (this.waiting === 0) this.workedMs += gap > sleepMs ? tickMs : gap;
    if (this.workedMs >= this.limitMs && !this.fired) {
      this.fired = true;
      this.onLimit();
    }
    return this.workedMs;
  }

  /** Time until the matching `resume` does not count. */
  pause(): void {
    this.elapsedMs();
    this.waiting++;
  }

  resume(): void {
    this.elapsedMs();
    this.waiting--;
  }

  dispose(): void {
    this.ticker.dispose();
  }
}
