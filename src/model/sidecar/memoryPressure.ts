import { readFileSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';

/**
 * Guesses whether a process was ended for want of memory. Linux counts such kills for the machine and for the container;
 * elsewhere, very little free memory shortly before the end is the sign.
 */
export class MemoryPressure {
  private kills = killCount();
  private wasLow = false;

  /** Call now and then while the process lives. */
  sample(): void {
    this.kills = killCount();
    this.wasLow = freemem() < totalmem() * 0.03;
  }

  /** Call once the process is gone. */
  probablyOutOfMemory(): boolean {
    const now = killCount();
    return now !== undefined && this.kills !== undefined ? now > this.kills : this.wasLow;
  }
}

function killCount(): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const counts = [['/proc/vmstat', /^oom_kill (\d+)$/m], ['/sys/fs/cgroup/memory.events', /^oom_kill (\d+)$/m]] as const;
  let sum: number | undefined;
  for (const [path, pattern] of counts) {
    try {
      const match = pattern.exec(readFileSync(path, 'utf8'));
      if (match?.[1]) sum = (sum ?? 0) + Number(match[1]);
    } catch {
      // a kernel without this counter: the other one, or free memory, decides
    }
  }
  return sum;
}
