import { availableMemory } from '../../model/hardware.js';

/** Bytes this process may still take for models. */
export interface MemoryProbe { available(): Promise<number> }

/** What the operating system has left, within a limit set by the user (`LOUPE_MEMORY_LIMIT`, bytes for this whole process). */
export class SystemMemory implements MemoryProbe {
  constructor(private readonly limit: number | undefined) {}

  async available(): Promise<number> {
    const system = await availableMemory();
    return this.limit === undefined ? system : Math.max(0, Math.min(system, this.limit - process.memoryUsage.rss()));
  }
}
