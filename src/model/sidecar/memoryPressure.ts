import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import type { Clock } from '../../base/clock.js';
import { availableMemory } from '../hardware.js';

/** What the system says about memory. */
export interface MemorySigns {
  /** Processes killed for want of memory so far; undefined where the system does not count them. */
  killCount(): number | undefined;
  /** Hardly anything is left. Asked only where kills are not counted. */
  isLow(): Promise<boolean>;
}

export const systemSigns: MemorySigns = {
  killCount,
  isLow: async () => (await availableMemory()) < totalmem() * 0.03,
};

/** Where kills are not counted, the answer may take a process of its own. */
const askEveryMs = 5_000;

/**
 * Guesses whether a process was ended for want of memory. Linux counts such kills for the machine and for the container;
 * elsewhere, very little free memory shortly before the end is the sign.
 */
export class MemoryPressure {
  /** The last two samples: a process of many gigabytes answers no more while the system takes it apart, but a sample may still fall into that time. */
  private kills: readonly [number | undefined, number | undefined] = [undefined, undefined];
  private wasLow = false;
  private askedAt = -Infinity;

  constructor(private readonly signs: MemorySigns, private readonly clock: Clock) {}

  /** Call when a process starts: what happened before has nothing to do with it. */
  begin(): void {
    const now = this.signs.killCount();
    this.kills = [now, now];
    this.wasLow = false;
    this.askedAt = -Infinity;
  }

  /** Call now and then while the process lives. */
  async sample(): Promise<void> {
    const now = this.signs.killCount();
    this.kills = [this.kills[1], now];
    const asked = this.clock.monotonic();
    if (now !== undefined || asked - this.askedAt < askEveryMs) return;
    this.askedAt = asked;
    this.wasLow = await this.signs.isLow();
  }

  /** Call once the process is gone. */
  probablyOutOfMemory(): boolean {
    const now = this.signs.killCount();
    const before = this.kills[0];
    return now !== undefined && before !== undefined ? now > before : this.wasLow;
  }
}

function killCount(): number | undefined {
  if (process.platform !== 'linux') return undefined;
  let sum: number | undefined;
  for (const path of ['/proc/vmstat', '/sys/fs/cgroup/memory.events']) {
    try {
      const match = /^oom_kill (\d+)$/m.exec(readFileSync(path, 'utf8'));
      if (match?.[1]) sum = (sum ?? 0) + Number(match[1]);
    } catch {
      // a kernel without this counter: the other one, or free memory, decides
    }
  }
  return sum;
}
