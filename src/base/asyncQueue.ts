/**
 * Hands values from a producer (events, sockets) to one consumer (`for await`). Unbounded: producers here are slower than
 * consumers. After `end` or `fail`, values already queued are still delivered.
 */
export class AsyncQueue<T> implements AsyncIterable<T> {
  private readonly values: T[] = [];
  private waiting: { resolve: (r: IteratorResult<T>) => void; reject: (e: unknown) => void } | undefined;
  private ended = false;
  private error: { readonly thrown: unknown } | undefined;

  push(value: T): void {
    if (this.ended) return;
    if (this.waiting) {
      const { resolve } = this.waiting;
      this.waiting = undefined;
      resolve({ value, done: false });
    } else this.values.push(value);
  }

  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.waiting?.resolve({ value: undefined, done: true });
    this.waiting = undefined;
  }

  fail(thrown: unknown): void {
    if (this.ended) return;
    this.ended = true;
    if (this.waiting) {
      this.waiting.reject(thrown);
      this.waiting = undefined;
    } else this.error = { thrown };
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return {
      next: () => {
        if (this.values.length > 0) return Promise.resolve({ value: this.values.shift() as T, done: false });
        if (this.error) {
          const { thrown } = this.error;
          this.error = undefined;
          return Promise.reject(thrown);
        }
        if (this.ended) return Promise.resolve({ value: undefined, done: true });
        return new Promise((resolve, reject) => (this.waiting = { resolve, reject }));
      },
      return: () => {
        this.ended = true;
        this.values.length = 0;
        return Promise.resolve({ value: undefined, done: true });
      },
    };
  }
}
