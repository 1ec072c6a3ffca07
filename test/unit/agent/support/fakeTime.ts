import { toDisposable } from '../../../../src/base/disposable.js';
import type { Clock } from '../../../../src/base/clock.js';
import type { Timers } from '../../../../src/agent/timers.js';

/** Time that moves only when told to; timers fire while it moves. */
export class FakeTime implements Clock, Timers {
  private ms = 0;
  private wallOffset = 1_700_000_000_000;
  private readonly timers = new Set<{ at: number; every: number | undefined; run: () => void }>();

  now(): number {
    return this.wallOffset + this.ms;
  }

  monotonic(): number {
    return this.ms;
  }

  /** The user or a time server sets the clock. */
  jumpWall(ms: number): void {
    this.wallOffset += ms;
  }

  /** Time passes without timers firing, as in a machine that sleeps with a monotonic clock that goes on. */
  sleep(ms: number): void {
    this.ms += ms;
  }

  advance(ms: number): void {
    const end = this.ms + ms;
    for (;;) {
      const next = [...this.timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.ms = Math.max(this.ms, next.at);
      if (next.every === undefined) this.timers.delete(next);
      else next.at += next.every;
      next.run();
    }
    this.ms = Math.max(this.ms, end);
  }

  after(ms: number, run: () => void): ReturnType<Timers['after']> {
    return this.add({ at: this.ms + ms, every: undefined, run });
  }

  every(ms: number, run: () => void): ReturnType<Timers['every']> {
    return this.add({ at: this.ms + ms, every: ms, run });
  }

  get pending(): number {
    return this.timers.size;
  }

  private add(timer: { at: number; every: number | undefined; run: () => void }): ReturnType<Timers['after']> {
    this.timers.add(timer);
    return toDisposable(() => this.timers.delete(timer));
  }
}
