import type { LoupeError } from '../base/errors.js';
import type { GenerationStats, ToolCall } from './chat.js';

/**
 * Everything an agent turn does, as a closed union in the order it happens. The chat view, the trace, the command line and
 * the tests consume exactly these events. `at` is in milliseconds since the epoch, `atMs` in milliseconds since the turn began.
 */
export const gates = [
  'answered', 'steps', 'tokens', 'wallClock', 'repeatedCalls', 'judge', 'malformedCalls', 'contextFull', 'cancelled', 'error',
] as const;
/** Why a turn stopped. */
export type Gate = (typeof gates)[number];

export interface Budget {
  readonly steps: number;
  /** Prefilled plus decoded tokens over the whole turn. */
  readonly tokens: number;
  readonly wallMs: number;
}

export interface Spent {
  readonly steps: number;
  readonly tokens: number;
  readonly wallMs: number;
}

/**
 * `full`: asks before writes and commands. `verify`: an agent that works for another one; asks each time. `zero`: no writes, no commands
 * (headless, untrusted). What each may do is the table in `src/agent/policy.ts`.
 */
export type Zone = 'full' | 'verify' | 'zero';

export const toolClasses = ['read', 'write', 'execute', 'network'] as const;
export type ToolClass = (typeof toolClasses)[number];

/** How long a yes holds beyond the one call: `session`: for all calls like it, `exact`: for this command, or this tool of a server; both until the window closes. */
export const rememberScopes = ['session', 'exact'] as const;
export type Remember = (typeof rememberScopes)[number];

/** What the policy said about a call. `ask`: the user decides. */
export const policyVerdicts = ['allow', 'ask', 'deny'] as const;
export type PolicyVerdict = (typeof policyVerdicts)[number];

export type ToolOutcome = 'ok' | 'empty' | 'error' | 'refused';

export interface FileEdit {
  /** Relative to the workspace folder, with forward slashes. */
  readonly path: string;
  readonly kind: 'replace' | 'create';
  readonly before: string;
  readonly after: string;
  /** sha256 of `before` as it was when the edit was proposed: a file changed since then is previewed again. */
  readonly beforeHash: string;
}

/**
 * What the user is asked to approve. The id is good for one decision only. `warning` says, in one sentence, what is easy to
 * overlook: a protected file, hidden characters, a command that hides its end behind blanks. `remember`: what a yes may be made to hold for;
 * absent: for this once. `confinement`: what the command cannot do, in one sentence. `files`: those of the workspace that the
 * command names, with the sha256 of what they hold: a yes to exactly this command holds while they stay so. `tool`: of an MCP server, with its arguments as JSON; `identity` is
 * what a yes for the session is bound to.
 */
export type Approval =
  | { readonly id: string; readonly kind: 'edit'; readonly edit: FileEdit; readonly warning?: string; readonly remember?: readonly Remember[] }
  | { readonly id: string; readonly kind: 'command'; readonly command: string; readonly cwd: string; readonly warning?: string; readonly remember?: readonly Remember[]; readonly confinement?: string; readonly files?: Readonly<Record<string, string>> }
  | { readonly id: string; readonly kind: 'tool'; readonly server: string; readonly tool: string; readonly identity: string; readonly arguments: string; readonly warning?: string; readonly remember?: readonly Remember[] };

export type Decision = 'accepted' | 'rejected';

export type AgentEvent =
  | { readonly type: 'turnStarted'; readonly turnId: string; readonly conversation: string; readonly at: number; readonly goal: string; readonly model: string; readonly budget: Budget; readonly zone: Zone }
  | { readonly type: 'hopStarted'; readonly hop: number; readonly atMs: number }
  | { readonly type: 'modelProgress'; readonly hop: number; readonly phase: 'queue' | 'restore' | 'prefill'; readonly done: number; readonly total: number }
  | { readonly type: 'firstToken'; readonly hop: number; readonly atMs: number }
  | { readonly type: 'textDelta'; readonly hop: number; readonly text: string }
  | { readonly type: 'malformedCall'; readonly hop: number; readonly atMs: number; readonly raw: string; readonly problem: string; readonly repair: 'retrying' | 'givenUp' }
  | { readonly type: 'modelFinished'; readonly hop: number; readonly atMs: number; readonly stats: GenerationStats; readonly calls: readonly ToolCall[]; readonly text: string }
  | { readonly type: 'toolStarted'; readonly hop: number; readonly atMs: number; readonly call: ToolCall; readonly class: ToolClass; readonly argumentBytes: number }
  | { readonly type: 'policyDecided'; readonly hop: number; readonly atMs: number; readonly callId: string; readonly verdict: PolicyVerdict; readonly reason: string }
  | { readonly type: 'approvalRequested'; readonly hop: number; readonly atMs: number; readonly callId: string; readonly approval: Approval }
  | { readonly type: 'approvalResolved'; readonly hop: number; readonly atMs: number; readonly callId: string; readonly approvalId: string; readonly decision: Decision; readonly waitedMs: number }
  /**
   * An MCP server that was not running was started, or could not be (`problem`). `coldMs` is how long that took, up to `atMs`; it is part of no tool's time.
   * Without a call: before the first hop, to learn what tools there are; `hop` is 0 then.
   */
  | { readonly type: 'serverStarted'; readonly hop: number; readonly atMs: number; readonly callId?: string; readonly server: string; readonly coldMs: number; readonly problem?: string }
  /** The workspace folder was recorded before the turn changed anything; `problem`: it was not, and this turn cannot be undone. */
  | { readonly type: 'checkpointTaken'; readonly hop: number; readonly atMs: number; readonly callId: string; readonly problem?: string }
  | { readonly type: 'toolFinished'; readonly hop: number; readonly atMs: number; readonly callId: string; readonly name: string; readonly outcome: ToolOutcome; readonly toolMs: number; readonly approvalMs: number; readonly resultBytes: number; readonly truncated: boolean; readonly summary: string; readonly result: string }
  | { readonly type: 'condensed'; readonly hop: number; readonly atMs: number; readonly results: number; readonly tokensBefore: number; readonly tokensAfter: number }
  | { readonly type: 'gate'; readonly atMs: number; readonly gate: Gate; readonly reason: string; readonly spent: Spent; readonly error?: LoupeError }
  | { readonly type: 'turnFinished'; readonly at: number; readonly atMs: number; readonly answer: string; readonly partial: boolean };

export type AgentEventType = AgentEvent['type'];
