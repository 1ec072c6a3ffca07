/**
 * One family of errors for every process. A code is stable and machine-readable, a message says what happened, and `next`
 * says what the user can do about it. Errors travel as values ({@link LoupeError}); inside a process they may be thrown
 * as {@link LoupeFailure}, which carries the same data.
 */
export const errorCodes = [
  // models
  'model.none', 'model.notFound', 'model.notGguf', 'model.truncated', 'model.hashMismatch', 'model.unsupported',
  'model.outOfMemory', 'model.loadFailed', 'model.quarantined', 'model.noFillInMiddle', 'model.emptyAnswer',
  // downloads
  'download.failed', 'download.diskFull', 'download.cancelled',
  // sidecar
  'sidecar.unavailable', 'sidecar.crashed', 'sidecar.crashLoop', 'sidecar.hung', 'sidecar.unauthorized', 'sidecar.protocol',
  'kv.formatIgnored', 'kv.flashAttention', 'kv.refused', 'context.overflow',
  // saved KV state
  'snapshot.damaged', 'snapshot.otherModel', 'snapshot.otherEngine', 'snapshot.otherFormat', 'snapshot.unsafeFile', 'snapshot.diskFull',
  'snapshot.overBudget', 'snapshot.failed',
  // repository memory
  'memory.indexStopped', 'memory.off', 'memory.nothing',
  // remote endpoints
  'endpoint.unreachable', 'endpoint.unauthorized', 'endpoint.badResponse', 'endpoint.httpError',
  // agent and tools
  'tool.unknown', 'tool.badArguments', 'tool.failed', 'tool.refused', 'tool.timeout',
  'edit.noMatch', 'edit.ambiguous', 'edit.changedOnDisk', 'edit.exists', 'edit.notApplied',
  'path.outsideWorkspace', 'path.notFound',
  'trace.writeFailed', 'trace.exportFailed',
  'git.unavailable', 'git.noRepository',
  // MCP servers whose tools the agent uses
  'mcp.configuration', 'mcp.notApproved', 'mcp.off', 'mcp.notStarted', 'mcp.ended', 'mcp.crashLoop', 'mcp.timeout', 'mcp.tooMuch', 'mcp.badMessage',
  'mcp.unauthorized', 'mcp.unreachable', 'mcp.failed', 'mcp.changed',
  // everything else
  'workspace.untrusted', 'workspace.none', 'cancelled', 'internal',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export interface LoupeError {
  readonly code: ErrorCode;
  /** What happened, in one sentence, without a stack trace. */
  readonly message: string;
  /** What the user can do next, in one sentence. */
  readonly next: string;
  /** The underlying message, for the log and the details view. */
  readonly cause?: string;
  /** Machine-readable details, for example the context size that would fit. */
  readonly data?: Readonly<Record<string, string | number | boolean>>;
}

/** A {@link LoupeError} thrown inside one process. */
export class LoupeFailure extends Error {
  override readonly name = 'LoupeFailure';
  constructor(readonly error: LoupeError) {
    super(error.message);
  }
}

export function failure(code: ErrorCode, message: string, next: string, cause?: unknown, data?: LoupeError['data']): LoupeFailure {
  return new LoupeFailure(makeError(code, message, next, cause, data));
}

export function makeError(code: ErrorCode, message: string, next: string, cause?: unknown, data?: LoupeError['data']): LoupeError {
  return {
    code, message, next,
    ...(cause === undefined ? {} : { cause: messageOf(cause) }),
    ...(data === undefined ? {} : { data }),
  };
}

/** Anything thrown, as a {@link LoupeError}; what is not ours becomes `internal`. */
export function toError(thrown: unknown, next = 'Try again; if it happens again, look into the Loupe log.'): LoupeError {
  if (thrown instanceof LoupeFailure) return thrown.error;
  if (isAbort(thrown)) return makeError('cancelled', 'Cancelled.', 'Ask again when you are ready.');
  return makeError('internal', messageOf(thrown), next, thrown instanceof Error ? thrown.stack : undefined);
}

export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

export function isAbort(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === 'AbortError';
}
