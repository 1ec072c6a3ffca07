import type { Clock } from '../../base/clock.js';
import type { Disposable } from '../../base/disposable.js';

/**
 * Decides from pings whether a peer hangs. Silence counts only while our own ticks come on time: after this machine slept, or
 * this process was stopped, the peer had no chance to answer either.
 */
export class PingWatch {
  private lastTick: number | undefined;
  private silentMs = 0;
  private waiting = false;

  constructor(private readonly intervalMs: number, private readonly timeoutMs: number) {}

  /** Call every `intervalMs`. `ping`: send one now, and report its answer; `hang`: the peer is lost. */
  tick(now: number): 'ping' | 'wait' | 'hang' {
    const passed = now - (this.lastTick ?? now);
    this.lastTick = now;
    if (!this.waiting) {
      this.waiting = true;
      this.silentMs = 0;
      return 'ping';
    }
    if (passed <= this.intervalMs * 2) this.silentMs += passed;
    return this.silentMs >= this.timeoutMs ? 'hang' : 'wait';
  }

  answered(): void {
    this.waiting = false;
  }
}

export interface HeartbeatOptions {
  readonly intervalMs: number;
  /** Silence of this length means a hang. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly ping: () => Promise<unknown>;
  readonly onHang: () => void;
}

/** Pings a peer until it is disposed or the peer hangs. */
export class Heartbeat implements Disposable {
  private readonly watch: PingWatch;
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly options: HeartbeatOptions) {
    this.watch = new PingWatch(options.intervalMs, options.timeoutMs);
    this.timer = setInterval(() => this.tick(), options.intervalMs);
    this.timer.unref();
  }

  dispose(): void {
    clearInterval(this.timer);
  }

  private tick(): void {
    const next = this.watch.tick(this.options.clock.monotonic());
    if (next === 'ping') {
      const answered = (): void => this.watch.answered(); // a failed ping closes the connection, which is seen elsewhere
      this.options.ping().then(answered, answered);
    } else if (next === 'hang') {
      this.dispose();
      this.options.onHang();
    }
  }
}
