/** Work of which only the newest counts: it ends the one before, and begins when that has let go of what it held. */
export class Newest {
  private last: { readonly controller: AbortController; readonly ended: Promise<void> } | undefined;

  /** Rejects with the signal's reason when aborted, by the caller or by newer work. */
  async run<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const before = this.last;
    const controller = new AbortController();
    const either = AbortSignal.any([signal, controller.signal]);
    let end: () => void = () => undefined;
    this.last = { controller, ended: new Promise((resolve) => { end = resolve; }) };
    before?.controller.abort();
    try {
      await before?.ended;
      either.throwIfAborted();
      return await work(either);
    } finally {
      end();
    }
  }
}
