import { freemem } from 'node:os';

/** Bytes this process may still take for models. */
export interface MemoryProbe { free(): number }

/** What the operating system has left, within a limit set by the user (`LOUPE_MEMORY_LIMIT`, bytes for this whole process). */
export class SystemMemory implements MemoryProbe {
  constructor(private readonly limit: number | undefined) {}

  free(): number {
    const system = freemem(); // reclaimable cache counts as free, so mapped weights do too
    const container = process.constrainedMemory();
    const used = process.memoryUsage.rss();
    const limits = [this.limit, container > 0 && container < 2 ** 60 ? container : undefined].filter((value) => value !== undefined);
    return Math.max(0, Math.min(system, ...limits.map((limit) => limit - used)));
  }
}
