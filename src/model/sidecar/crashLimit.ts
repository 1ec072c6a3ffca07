import type { Clock } from '../../base/clock.js';

const windowMs = 3 * 60_000;
const limit = 5;
const delaysMs = [0, 250, 500, 1000, 2000];

/** Counts crashes: five within three minutes are a loop, which nobody but the user ends. */
export class CrashLimit {
  private times: number[] = [];

  constructor(private readonly clock: Clock) {}

  /** How long to wait before the next start, in milliseconds, or `stop`. */
  crashed(): number | 'stop' {
    const now = this.clock.monotonic();
    this.times = [...this.times.filter((time) => now - time < windowMs), now];
    if (this.times.length >= limit) return 'stop';
    return delaysMs[this.times.length - 1] ?? 'stop';
  }

  reset(): void {
    this.times = [];
  }
}
