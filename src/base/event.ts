import { type Disposable, toDisposable } from './disposable.js';

export type Event<T> = (listener: (value: T) => void) => Disposable;

/** Synchronous event source. A listener that throws does not keep the others from being called; the error is rethrown last. */
export class Emitter<T> implements Disposable {
  private readonly listeners = new Set<(value: T) => void>();

  readonly event: Event<T> = (listener) => {
    this.listeners.add(listener);
    return toDisposable(() => this.listeners.delete(listener));
  };

  fire(value: T): void {
    const errors: unknown[] = [];
    for (const listener of [...this.listeners]) {
      try {
        listener(value);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) throw new AggregateError(errors, 'Several listeners failed');
  }

  dispose(): void {
    this.listeners.clear();
  }
}
