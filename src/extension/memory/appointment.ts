import type { Clock } from '../../base/clock.js';
import type { Disposable } from '../../base/disposable.js';
import type { Timers } from '../../agent/timers.js';

/** While something runs, an appointment that is due is looked at again after this time. */
const busyMs = 5_000;

/** One appointment with a user who has paused: kept when it is due and nothing was done for so long as it asks. */
export class Appointment implements Disposable {
  private due: { readonly at: number; readonly timer: Disposable } | undefined;
  private activeAt: number;

  constructor(private readonly clock: Clock, private readonly timers: Pick<Timers, 'after'>, private readonly isBusy: () => boolean, private readonly begin: () => void) {
    this.activeAt = clock.monotonic();
  }

  /** The user did something. */
  active(): void {
    this.activeAt = this.clock.monotonic();
  }

  /** In `delayMs` at the earliest, and when the user has done nothing for `quietMs`. An earlier appointment stands. */
  make(delayMs: number, quietMs: number): void {
    const at = this.clock.monotonic() + delayMs;
    if (this.due !== undefined && this.due.at <= at) return;
    this.cancel();
    this.wait(at, quietMs);
  }

  cancel(): void {
    this.due?.timer.dispose();
    this.due = undefined;
  }

  dispose(): void {
    this.cancel();
  }

  private wait(at: number, quietMs: number): void {
    const ms = Math.max(at, this.activeAt + quietMs) - this.clock.monotonic();
    const timer = this.timers.after(Math.max(0, ms), () => {
      this.due = undefined;
      const now = this.clock.monotonic();
      if (this.isBusy()) this.wait(now + busyMs, quietMs);
      else if (this.activeAt + quietMs > now) this.wait(at, quietMs);
      else this.begin();
    });
    this.due = { at, timer };
  }
}
