const windowMs = 3 * 60_000;
const mostCrashes = 5;
const firstDelayMs = 250;

/**
 * When to start a crashed language server again. Five crashes within three minutes end it, as in vscode-languageclient's own
 * handler, which restarts at once; here each crash of a row doubles the wait.
 */
export class RestartPolicy {
  private crashes: number[] = [];
  private waiting: ((restart: boolean) => void) | undefined;

  /** A restart is on its way. */
  get isWaiting(): boolean {
    return this.waiting !== undefined;
  }

  /** Milliseconds to wait before the restart; undefined: do not restart. `nowMs` is monotonic. */
  crashed(nowMs: number): number | undefined {
    this.crashes = [...this.crashes.filter((at) => nowMs - at < windowMs), nowMs];
    return this.crashes.length >= mostCrashes ? undefined : firstDelayMs * 2 ** (this.crashes.length - 1);
  }

  /** True after `ms`; false as soon as the restart is called off. */
  wait(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.waiting?.(true), ms);
      this.waiting = (restart) => {
        clearTimeout(timer);
        this.waiting = undefined;
        resolve(restart);
      };
    });
  }

  callOff(): void {
    this.waiting?.(false);
  }

  reset(): void {
    this.crashes = [];
  }
}
