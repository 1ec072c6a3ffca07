import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { isSecretPath } from '../../base/secretPaths.js';
import type { WorkspaceChanges } from '../../protocol/window.js';

/** What comes within this time of a change is told with it. Milliseconds. */
const settleMs = 100;
/** Older ones are forgotten: who asks from before them is told that everything may have changed. */
const mostEntries = 10_000;

/**
 * What has changed in a folder, for readers that ask from where they stopped. No change between two questions is missed, and nobody who asks
 * no more leaves anything behind. Files that hold credentials do not appear.
 */
export class ChangeLog {
  private readonly epoch = randomBytes(8).toString('hex');
  private position = 0;
  /** Positions up to this one are not known any more. */
  private forgotten = 0;
  private readonly entries = new Map<string, number>();
  private readonly waiting = new Set<() => void>();

  file(path: string): void {
    if (!isSecretPath(path)) this.add(`f${path}`);
  }

  diagnostics(path: string): void {
    if (!isSecretPath(path)) this.add(`d${path}`);
  }

  /** Files have come or gone. */
  list(): void {
    this.add('l');
  }

  /** It is not known what. */
  everything(): void {
    this.forgotten = ++this.position;
    this.wake();
  }

  /** What changed after that answer; waits until something has. Without one: from where to ask, at once. Rejects when the signal aborts. */
  async since(after: string | undefined, signal: AbortSignal): Promise<WorkspaceChanges> {
    const [epoch, number] = after?.split(':') ?? [this.epoch, String(this.position)];
    const seen = Number(number);
    if (epoch !== this.epoch || !Number.isInteger(seen)) return this.answer(-1);
    if (after !== undefined && seen === this.position) {
      await this.next(signal);
      await sleep(settleMs, undefined, { signal });
    }
    return this.answer(seen);
  }

  private answer(seen: number): WorkspaceChanges {
    const changed = [...this.entries].filter(([, position]) => position > seen).map(([key]) => key);
    const of = (kind: string): string[] => changed.filter((key) => key.startsWith(kind)).map((key) => key.slice(1));
    return { at: `${this.epoch}:${this.position}`, files: of('f'), diagnostics: of('d'), list: changed.includes('l'), everything: seen < this.forgotten };
  }

  private add(key: string): void {
    this.entries.delete(key); // the oldest stand first
    this.entries.set(key, ++this.position);
    if (this.entries.size > mostEntries) {
      const [oldest] = this.entries;
      if (oldest) this.entries.delete(oldest[0]);
      this.forgotten = Math.max(this.forgotten, oldest?.[1] ?? 0);
    }
    this.wake();
  }

  private wake(): void {
    for (const wake of [...this.waiting]) wake();
  }

  private next(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const done = (settle: () => void) => (): void => {
        this.waiting.delete(woken);
        signal.removeEventListener('abort', aborted);
        settle();
      };
      const woken = done(resolve);
      const aborted = done(() => reject(signal.reason as Error));
      this.waiting.add(woken);
      signal.addEventListener('abort', aborted, { once: true });
    });
  }
}
