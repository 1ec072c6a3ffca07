import type { Clock } from '../base/clock.js';
import type { ChatModel } from '../model/chatModel.js';
import type { Budget, Gate, ToolOutcome, Zone } from '../protocol/agentEvents.js';
import type { ChatMessage, ToolCall } from '../protocol/chat.js';
import type { About } from './aboutWorkspace.js';
import type { ServerStart } from './mcp/port.js';
import type { Grants } from './policy.js';
import type { Timers } from './timers.js';
import type { Tool } from './tools/tool.js';

/** Everything a turn touches, injected: a turn has no other way to reach the world. */
export interface TurnDeps {
  readonly model: ChatModel;
  readonly tools: readonly Tool[];
  /** Tools of MCP servers, which may have to be started for that; asked for once, when the turn has begun. They stay the same for a conversation. */
  readonly serverTools?: ServerTools;
  readonly clock: Clock;
  /** A new unique id, for approvals and for calls whose id the model repeated. */
  newId(): string;
  /** Whether a question is about what the reading tools can reach. Nothing is known when left out. */
  readonly aboutWorkspace?: (question: string, signal: AbortSignal) => Promise<About | undefined>;
  /** Looks at an answer before it counts; see {@link Judge}. */
  readonly judge?: Judge;
  /** What the user allowed for this session. Nothing when left out. */
  readonly grants?: Grants;
  /** Records the workspace folder before the first change of a turn. Not recorded when left out. */
  readonly checkpoint?: TakeCheckpoint;
  /** Timers of the platform when left out. */
  readonly timers?: Timers;
}

/** Called before each change that was allowed; records once a turn. Gives why the folder could not be recorded, undefined when it was. */
export type TakeCheckpoint = (turn: { readonly turnId: string; readonly goal: string }, signal: AbortSignal) => Promise<{ readonly first: boolean; readonly problem?: string }>;

/** Never rejects but for an abort: a server that cannot be started is told of, and the turn goes on without it. */
export type ServerTools = (input: Pick<TurnInput, 'conversation' | 'zone'>, signal: AbortSignal) => Promise<{ readonly tools: readonly Tool[]; readonly starts: readonly ServerStart[] }>;

export interface TurnInput {
  readonly turnId: string;
  readonly conversation: string;
  readonly goal: string;
  /** Rendered attachments (`renderAttachments`), may be empty. */
  readonly context: string;
  /** Messages of earlier turns, as `TurnResult.messages` gave them; no system prompt. */
  readonly history: readonly ChatMessage[];
  readonly budget: Budget;
  readonly zone: Zone;
  /** What is remembered of the repository. The same in all turns of a conversation, so that what is computed for it stays of use. */
  readonly memory?: TurnMemory;
}

/** Blocks of a `MemoryPlan`, in their order. `whole`: every file of the repository is in them. */
export interface TurnMemory { readonly mode: 'whole' | 'map'; readonly blocks: readonly string[] }

export interface TurnResult {
  /** History for the next turn: the earlier history followed by this turn, append-only unless something was condensed. */
  readonly messages: readonly ChatMessage[];
  readonly answer: string;
  readonly partial: boolean;
  readonly gate: Gate;
}

/** What a judge sees: the goal, the answer that is about to count, and every tool call so far. */
export interface TurnSoFar {
  readonly goal: string;
  readonly answer: string;
  readonly calls: readonly JudgedCall[];
}

export interface JudgedCall { readonly call: ToolCall; readonly outcome: ToolOutcome; readonly result: string }

/** `checked`: what was looked at and found right, for the reason of the gate; absent when no rule had anything to say. */
export type Verdict = { readonly pass: true; readonly checked?: string } | { readonly pass: false; readonly reason: string };

/** Rules first (diagnostics clean, tests pass). The reason for a refusal goes back to the model. */
export type Judge = (turn: TurnSoFar, signal: AbortSignal) => Verdict | Promise<Verdict>;
