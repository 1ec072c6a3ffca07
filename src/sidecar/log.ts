import { appendFileSync, renameSync, statSync } from 'node:fs';
import type { Clock } from '../base/clock.js';
import type { Logger, LogLevel } from '../base/logger.js';

const capBytes = 1024 * 1024;
const order: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/**
 * Writes to a file, which is set aside once at 1 MiB, and warnings also to stderr. Synchronous: the last lines before a crash
 * are the ones that matter, and there are few.
 */
export class FileLog implements Logger {
  private size: number;

  constructor(private readonly path: string, private readonly lowest: LogLevel, private readonly clock: Clock) {
    this.size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  }

  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void {
    if (order[level] < order[this.lowest]) return;
    const line = `${new Date(this.clock.now()).toISOString()} ${level} ${message}${fields ? ` ${JSON.stringify(fields)}` : ''}\n`;
    if (order[level] >= order.warn) process.stderr.write(line);
    try {
      if (this.size + line.length > capBytes) {
        renameSync(this.path, `${this.path}.1`);
        this.size = 0;
      }
      appendFileSync(this.path, line, { mode: 0o600 });
      this.size += Buffer.byteLength(line);
    } catch (thrown) {
      process.stderr.write(`the log cannot be written: ${String(thrown)}\n`); // a full disk must not end the process
    }
  }
}
