import type { Event } from '../base/event.js';
import type { Result } from '../base/result.js';
import type { Forgotten, MemoryList, PrefixStats, RememberResult } from '../protocol/memory.js';
import type {
  DeltaParams, GenerateParams, GenerateResult, KvAudit, LoadedModel, LoadParams, ModelRole, PrefillParams, ProbeParams, ProbeResult,
  ProgressParams, PromptSegment, RememberParams, RestoreParams, RoleState, SidecarStatus,
} from '../protocol/sidecar.js';

export interface GenerateHandlers {
  onDelta?(delta: DeltaParams): void;
  onProgress?(progress: ProgressParams): void;
}

/** The sidecar as its clients see it. Failures are values; an aborted signal gives `finish: 'cancelled'` with what there was. */
export interface Engine {
  readonly onRoleState: Event<{ readonly role: ModelRole; readonly state: RoleState }>;
  load(params: LoadParams, signal?: AbortSignal): Promise<Result<LoadedModel>>;
  unload(role: ModelRole): Promise<Result<null>>;
  status(): Promise<Result<SidecarStatus>>;
  generate(params: GenerateParams, handlers: GenerateHandlers, signal: AbortSignal): Promise<Result<GenerateResult>>;
  /** Probability of the first token of each candidate, without generating anything. */
  probe(params: ProbeParams, signal: AbortSignal): Promise<Result<ProbeResult>>;
  /** Reads what the conversation's next prompt begins with, while nothing else is asked. Cancellation, also by a newer one, is a failure. */
  prefill(params: PrefillParams, signal: AbortSignal): Promise<Result<PrefixStats>>;
  tokenize(role: ModelRole, segments: readonly PromptSegment[], signal?: AbortSignal): Promise<Result<{ tokens: number[] }>>;
  audit(role: ModelRole): Promise<Result<KvAudit>>;
}

/** KV states of prefixes that the sidecar keeps on disk. `Engine.generate` uses them by itself. Failures, cancellation too, are values. */
export interface EngineMemory {
  /** Reads the prompt in the background and saves its state; what was saved before serves as far as it is the same. */
  remember(params: RememberParams, handlers: Pick<GenerateHandlers, 'onProgress'>, signal: AbortSignal): Promise<Result<RememberResult>>;
  /** Brings what is saved of the prompt into memory, for the named conversation. */
  restore(params: RestoreParams, handlers: Pick<GenerateHandlers, 'onProgress'>, signal: AbortSignal): Promise<Result<PrefixStats>>;
  list(): Promise<Result<MemoryList>>;
  /** Without a name: everything. */
  forget(memory?: string): Promise<Result<Forgotten>>;
  setBudget(bytes: number): Promise<Result<MemoryList>>;
}
