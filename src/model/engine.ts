import type { Event } from '../base/event.js';
import type { Result } from '../base/result.js';
import type {
  DeltaParams, GenerateParams, GenerateResult, KvAudit, LoadedModel, LoadParams, ModelRole, ProbeParams, ProbeResult,
  ProgressParams, PromptSegment, RoleState, SidecarStatus,
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
  tokenize(role: ModelRole, segments: readonly PromptSegment[], signal?: AbortSignal): Promise<Result<{ tokens: number[] }>>;
  audit(role: ModelRole): Promise<Result<KvAudit>>;
}
