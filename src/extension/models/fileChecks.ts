import type { Result } from '../../base/result.js';
import { untilAborted } from './untilAborted.js';

/** `verifyModel`, with what this needs of it bound. */
export type Verify = (file: string, sha256: string, signal: AbortSignal, onProgress: (done: number, total: number) => void) => Promise<Result<null>>;

interface Check {
  readonly result: Promise<Result<null>>;
  readonly listeners: Set<(fraction: number) => void>;
  readonly stop: AbortController;
}

/**
 * The checks of model files that run. Chat and inline suggestions may want the same file at the same time: it is read once, both
 * are told how far it is, and the reading stops when nobody waits for it any more.
 */
export class FileChecks {
  private readonly running = new Map<string, Check>();

  constructor(private readonly verify: Verify) {}

  /** `onProgress` is called once for each percent, and not at all for a file that is known to be sound. */
  async check(file: string, sha256: string, onProgress: (fraction: number) => void, signal: AbortSignal): Promise<Result<null>> {
    const check = this.running.get(file) ?? this.start(file, sha256);
    const listener = (fraction: number): void => onProgress(fraction);
    check.listeners.add(listener);
    try {
      return await untilAborted(check.result, signal);
    } finally {
      check.listeners.delete(listener);
      if (check.listeners.size === 0) this.end(file, check);
    }
  }

  private start(file: string, sha256: string): Check {
    const stop = new AbortController();
    const listeners = new Set<(fraction: number) => void>();
    let percent = -1;
    const result = this.verify(file, sha256, stop.signal, (done, total) => {
      const now = Math.floor((done / total) * 100);
      if (now === percent) return;
      percent = now;
      for (const listener of listeners) listener(done / total);
    });
    const check = { result, listeners, stop };
    this.running.set(file, check);
    return check;
  }

  private end(file: string, check: Check): void {
    check.stop.abort();
    if (this.running.get(file) === check) this.running.delete(file);
  }
}
