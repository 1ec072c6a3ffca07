const windowMs = 3 * 60_000;
const mostCrashes = 5;
const firstDelayMs = 250;

/**
 * When to start a crashed language server again. Five crashes within three minutes end it, as in vscode-languageclient's own
 * handler, which restarts at once; here each crash of a row doubles the wait.
 */
export class RestartPolicy {
  private crashes: number[] = [];

  /** Milliseconds to wait before the restart; undefined: do not restart. `nowMs` is monotonic. */
  crashed(nowMs: number): number | undefined {
    this.crashes = [...this.crashes.filter((at) => nowMs - at < windowMs), nowMs];
    return this.crashes.length >= mostCrashes ? undefined : firstDelayMs * 2 ** (this.crashes.length - 1);
  }

  reset(): void {
    this.crashes = [];
  }
}
