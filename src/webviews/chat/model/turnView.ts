import type { AgentEvent, Approval, Budget, Decision, Spent, ToolClass, ToolOutcome, Gate } from '../../../protocol/agentEvents.js';
import type { LoupeError } from '../../../base/errors.js';
import type { Attachment, Turn } from '../../../protocol/conversation.js';
import type { ToolCall } from '../../../protocol/chat.js';

/** A turn as the chat shows it: a fold over its agent events. Times in milliseconds since the turn began. */
export interface TurnView {
  readonly id: string;
  readonly question: string;
  readonly attachments: readonly Attachment[];
  readonly model: string;
  readonly budget?: Budget;
  readonly hops: readonly HopView[];
  /** What the model is doing before the first token of a hop. */
  readonly progress?: ModelProgress;
  /** How long the user took to decide. */
  readonly waitedMs: number;
  /** Without {@link waitedMs}. */
  readonly firstTokenMs?: number;
  readonly tokens: TokenTotals;
  readonly gate?: GateView;
  readonly answer?: string;
  readonly partial: boolean;
  readonly durationMs?: number;
  readonly finished: boolean;
  /** Whether what the turn changed can be taken back. Absent: it changed nothing. */
  readonly undo?: { readonly state: 'offered' } | { readonly state: 'none'; readonly why: string };
  /** Just added here; whether it runs is not known before the next message. */
  readonly fresh: boolean;
}

export interface HopView {
  readonly hop: number;
  readonly text: string;
  readonly tools: readonly ToolView[];
  readonly notes: readonly string[];
}

export interface ToolView {
  readonly call: ToolCall;
  readonly class: ToolClass;
  readonly approval?: ApprovalView;
  readonly outcome?: ToolOutcome;
  readonly summary: string;
  readonly result: string;
  readonly truncated: boolean;
  readonly toolMs: number;
}

export interface ApprovalView {
  readonly approval: Approval;
  /** `sent`: decided here, not yet confirmed by the host. */
  readonly state: 'pending' | 'sent' | Decision;
}

export interface ModelProgress { readonly phase: 'queue' | 'restore' | 'prefill'; readonly done: number; readonly total: number }
/** `cached`: the most that one hop found in the KV cache (each hop finds the same prefix); the others add up over the hops. */
export interface TokenTotals { readonly cached: number; readonly read: number; readonly written: number }
export interface GateView { readonly gate: Gate; readonly reason: string; readonly spent: Spent; readonly error?: LoupeError }

export function newTurn(id: string, question: string, attachments: readonly Attachment[]): TurnView {
  return { id, question, attachments, model: '', hops: [], tokens: { cached: 0, read: 0, written: 0 }, waitedMs: 0, partial: false, finished: false, fresh: true };
}

export const turnViewOf = (turn: Turn): TurnView => turn.events.reduce(foldEvent, { ...newTurn(turn.id, turn.question, turn.attachments), fresh: false });

/** Pure; parts of the turn that the event does not touch keep their identity, so that views can skip them. */
export function foldEvent(turn: TurnView, event: AgentEvent): TurnView {
  switch (event.type) {
    case 'turnStarted':
      return { ...turn, model: event.model, budget: event.budget, fresh: false };
    case 'hopStarted':
      return { ...withHop(turn, event.hop, (hop) => hop), progress: { phase: 'queue', done: 0, total: 0 } };
    case 'modelProgress':
      return { ...turn, progress: { phase: event.phase, done: event.done, total: event.total } };
    case 'firstToken':
      return { ...withoutProgress(turn), firstTokenMs: turn.firstTokenMs ?? event.atMs - turn.waitedMs };
    case 'textDelta':
      return withHop(withoutProgress(turn), event.hop, (hop) => ({ ...hop, text: hop.text + event.text }));
    case 'malformedCall':
      return withHop(turn, event.hop, (hop) => ({
        ...hop,
        text: '',
        notes: [...hop.notes, event.repair === 'retrying' ? `tool call not understood, asking again: ${event.problem}` : `tool call not understood: ${event.problem}`],
      }));
    case 'modelFinished': {
      const { stats } = event;
      const tokens = {
        cached: Math.max(turn.tokens.cached, stats.tokensCached),
        read: turn.tokens.read + Math.max(0, stats.tokensIn - stats.tokensCached),
        written: turn.tokens.written + stats.tokensOut,
      };
      return { ...withHop(withoutProgress(turn), event.hop, (hop) => ({ ...hop, text: event.text })), tokens };
    }
    case 'toolStarted':
      return withHop(turn, event.hop, (hop) => ({
        ...hop,
        tools: [...hop.tools, { call: event.call, class: event.class, summary: '', result: '', truncated: false, toolMs: 0 }],
      }));
    case 'policyDecided':
      return turn;
    case 'serverStarted':
      return event.problem === undefined ? turn : withHop(turn, Math.max(1, event.hop), (hop) => ({ ...hop, notes: [...hop.notes, `MCP server ${event.server} not started: ${event.problem}`] }));
    case 'checkpointTaken':
      return { ...turn, undo: event.problem === undefined ? { state: 'offered' } : { state: 'none', why: event.problem } };
    case 'approvalRequested':
      return withTool(turn, event.hop, event.callId, (tool) => ({ ...tool, approval: { approval: event.approval, state: 'pending' } }));
    case 'approvalResolved':
      return withTool({ ...turn, waitedMs: turn.waitedMs + event.waitedMs }, event.hop, event.callId, (tool) =>
        tool.approval?.approval.id === event.approvalId ? { ...tool, approval: { ...tool.approval, state: event.decision } } : tool);
    case 'toolFinished':
      return withTool(turn, event.hop, event.callId, (tool) => ({
        ...tool, outcome: event.outcome, summary: event.summary, result: event.result, truncated: event.truncated, toolMs: event.toolMs,
      }));
    case 'condensed':
      return withHop(turn, event.hop, (hop) => ({
        ...hop, notes: [...hop.notes, `shortened ${event.results} earlier ${event.results === 1 ? 'result' : 'results'} to fit the context`],
      }));
    case 'gate':
      return {
        ...withoutProgress(turn),
        gate: { gate: event.gate, reason: event.reason, spent: event.spent, ...(event.error ? { error: event.error } : {}) },
      };
    case 'turnFinished':
      return { ...withoutProgress(turn), answer: event.answer, partial: event.partial, durationMs: event.atMs, finished: true };
  }
}

/** Marks an approval as decided here, so that a second click or key press sends nothing. */
export function markDecided(turn: TurnView, approvalId: string): TurnView {
  const hop = turn.hops.find(({ tools }) => tools.some((tool) => tool.approval?.approval.id === approvalId));
  const call = hop?.tools.find((tool) => tool.approval?.approval.id === approvalId);
  if (!hop || !call) return turn;
  return withTool(turn, hop.hop, call.call.id, (tool) =>
    tool.approval?.state === 'pending' ? { ...tool, approval: { ...tool.approval, state: 'sent' } } : tool);
}

export function pendingApproval(turn: TurnView): ApprovalView | undefined {
  for (const hop of turn.hops) for (const tool of hop.tools) if (tool.approval?.state === 'pending') return tool.approval;
  return undefined;
}

/** The text to show as the answer: the final one where there is one, else what the last hop streamed so far. */
export function answerText(turn: TurnView): string {
  if (turn.answer) return turn.answer;
  const last = turn.hops.at(-1);
  return last && last.tools.length === 0 ? last.text : '';
}

/** Text of hops that went on to call tools, and, once the turn is over, of none that became the answer. */
export function hopProse(turn: TurnView, hop: HopView): string {
  return hop.tools.length > 0 ? (hop.text === turn.answer ? '' : hop.text) : '';
}

function withoutProgress(turn: TurnView): TurnView {
  if (!turn.progress) return turn;
  const { progress: _, ...rest } = turn;
  return rest;
}

function withHop(turn: TurnView, number: number, change: (hop: HopView) => HopView): TurnView {
  const index = turn.hops.findIndex((hop) => hop.hop === number);
  if (index < 0) return { ...turn, hops: [...turn.hops, change({ hop: number, text: '', tools: [], notes: [] })] };
  const hops = [...turn.hops];
  hops[index] = change(hops[index] as HopView);
  return { ...turn, hops };
}

function withTool(turn: TurnView, hopNumber: number, callId: string, change: (tool: ToolView) => ToolView): TurnView {
  return withHop(turn, hopNumber, (hop) => ({ ...hop, tools: hop.tools.map((tool) => (tool.call.id === callId ? change(tool) : tool)) }));
}
