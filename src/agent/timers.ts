import { type Disposable, toDisposable } from '../base/disposable.js';

/** Timers, injected so that tests decide when they fire. */
export interface Timers {
  after(ms: number, run: () => void): Disposable;
  every(ms: number, run: () => void): Disposable;
}

export const systemTimers: Timers = {
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return toDisposable(() => clearTimeout(timer));
  },
  every: (ms, run) => {
    const timer = setInterval(run, ms);
    return toDisposable(() => clearInterval(timer));
  },
};

/**
 * Ends waiting for something that does not listen: `expired` resolves `graceMs` after the signal aborts. What listens
 * finishes within the grace and still reports what it did.
 */
export class Patience implements Disposable {
  readonly expired: Promise<'expired'>;
  private timer: Disposable | undefined;
  private readonly onAbort: () => void;

  constructor(private readonly signal: AbortSignal, timers: Timers, graceMs: number) {
    let resolve: (value: 'expired') => void = () => undefined;
    this.expired = new Promise((r) => (resolve = r));
    this.onAbort = () => (this.timer = timers.after(graceMs, () => resolve('expired')));
    if (signal.aborted) this.onAbort();
    else signal.addEventListener('abort', this.onAbort, { once: true });
  }

  dispose(): void {
    this.signal.removeEventListener('abort', this.onAbort);
    this.timer?.dispose();
  }
}
