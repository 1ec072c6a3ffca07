import type { LoupeError } from '../base/errors.js';
import type { Budget, Decision, Gate, PolicyVerdict, Spent, ToolClass, ToolOutcome } from './agentEvents.js';
import type { GenerationStats } from './chat.js';

/** A turn as the trace shows it: a fold over its agent events. Times in milliseconds since the turn began. */
export interface TraceTurn {
  readonly turnId: string;
  readonly traceId: string;
  readonly conversation: string;
  readonly question: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly model: string;
  readonly budget: Budget;
  /** MCP servers that were started before the first hop. Absent: none. */
  readonly starts?: readonly TraceStart[];
  readonly hops: readonly TraceHop[];
  /** Until the first word of the answer, without the time in which the user was asked. */
  readonly firstTokenMs?: number;
  readonly durationMs: number;
  readonly gate?: TraceGate;
  readonly running: boolean;
  readonly partial: boolean;
}

export interface TraceGate { readonly gate: Gate; readonly reason: string; readonly spent: Spent; readonly error?: LoupeError }

/** `endMs`: when it was there, or could not be started (`problem`). */
export interface TraceStart { readonly server: string; readonly spanId: string; readonly startMs: number; readonly endMs: number; readonly problem?: string }

export interface TraceHop {
  readonly hop: number;
  readonly spanId: string;
  readonly startMs: number;
  readonly endMs: number;
  /** Absent while the model still works. */
  readonly stats?: GenerationStats;
  /** What the hop led to: names of the called tools, or `answer`. */
  readonly outcome: string;
  readonly textBytes: number;
  readonly malformed: readonly { readonly atMs: number; readonly problem: string; readonly repair: 'retrying' | 'givenUp' }[];
  readonly tools: readonly TraceTool[];
  readonly condensed?: { readonly results: number; readonly tokensBefore: number; readonly tokensAfter: number };
}

export interface TraceTool {
  readonly callId: string;
  readonly spanId: string;
  readonly name: string;
  readonly class: ToolClass;
  readonly startMs: number;
  readonly endMs: number;
  readonly toolMs: number;
  readonly approvalMs: number;
  /** The MCP server behind the tool was started for this call, between approval and tool. Absent: it ran, or there is none. */
  readonly cold?: TraceStart;
  /** Set while the user has not decided: when the question was asked. Never set in a turn that has ended. */
  readonly waitingSinceMs?: number;
  readonly argumentBytes: number;
  readonly resultBytes: number;
  readonly truncated: boolean;
  readonly outcome?: ToolOutcome;
  /** What the policy said, and why. Absent in traces of earlier versions, and for tools that do not exist. */
  readonly policy?: { readonly verdict: PolicyVerdict; readonly reason: string };
  readonly decision?: Decision;
  readonly summary: string;
  /** Arguments as JSON, capped. */
  readonly arguments: string;
}
