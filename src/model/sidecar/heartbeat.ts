import type { Clock } from '../../base/clock.js';
import type { Disposable } from '../../base/disposable.js';

export interface HeartbeatOptions {
  readonly intervalMs: number;
  /** A ping unanswered for this long means a hang. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly ping: () => Promise<unknown>;
  readonly onHang: () => void;
}

/**
 * Watches a peer by pinging it. Silence counts only while our own timer runs on time: after this machine slept, or this
 * process was stopped, the peer had no chance to answer either.
 */
export class Heartbeat implements Disposable {
  private readonly timer: NodeJS.Timeout;
  private lastTick: number;
  /** Time that passed while a ping was unanswered and our timer was on time. */
  private silentMs = 0;
  private waiting = false;
  private disposed = false;

  constructor(private readonly options: HeartbeatOptions) {
    this.lastTick = options.clock.monotonic();
    this.timer = setInterval(() => this.tick(), options.intervalMs);
    this.timer.unref();
  }

  dispose(): void {
    this.disposed = true;
    clearInterval(this.timer);
  }

  private tick(): void {
    const now = this.options.clock.monotonic();
    const passed = now - this.lastTick;
    this.lastTick = now;
    if (!this.waiting) {
      this.send();
      return;
    }
    if (passed > this.options.intervalMs * 2) return; // we slept
    this.silentMs += passed;
    if (this.silentMs < this.options.timeoutMs) return;
    this.dispose();
    this.options.onHang();
  }

  private send(): void {
    this.waiting = true;
    this.silentMs = 0;
    const done = (): void => { if (!this.disposed) this.waiting = false; };
    this.options.ping().then(done, done);
  }
}
