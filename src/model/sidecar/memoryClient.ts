import type { Result } from '../../base/result.js';
import type { Forgotten, MemoryList, PrefixStats, RememberResult } from '../../protocol/memory.js';
import { type RememberParams, type RestoreParams, sidecarRequests } from '../../protocol/sidecar.js';
import type { EngineMemory, GenerateHandlers } from '../engine.js';
import type { SidecarConnection } from './connection.js';

type Call = <T>(send: (connection: SidecarConnection) => Promise<Result<T>>) => Promise<Result<T>>;

/** The sidecar's memory of prefixes, over whichever connection there is. */
export class MemoryClient implements EngineMemory {
  constructor(private readonly call: Call) {}

  remember(params: RememberParams, handlers: Pick<GenerateHandlers, 'onProgress'>, signal: AbortSignal): Promise<Result<RememberResult>> {
    return this.call((c) => c.stream(sidecarRequests.remember, params, handlers, signal));
  }

  restore(params: RestoreParams, handlers: Pick<GenerateHandlers, 'onProgress'>, signal: AbortSignal): Promise<Result<PrefixStats>> {
    return this.call((c) => c.stream(sidecarRequests.restore, params, handlers, signal));
  }

  list(): Promise<Result<MemoryList>> {
    return this.call((c) => c.request(sidecarRequests.memories, {}));
  }

  forget(memory?: string): Promise<Result<Forgotten>> {
    return this.call((c) => c.request(sidecarRequests.forget, memory === undefined ? {} : { memory }));
  }

  setBudget(bytes: number): Promise<Result<MemoryList>> {
    return this.call((c) => c.request(sidecarRequests.memoryBudget, { bytes }));
  }
}
