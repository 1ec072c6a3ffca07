import type { AgentEvent } from '../protocol/agentEvents.js';
import type { TraceHop, TraceTool, TraceTurn } from '../protocol/trace.js';
import { spanIdOf, traceIdOf } from './ids.js';

/** Characters of a call's arguments that the trace keeps. */
const argumentLimit = 2_000;

/**
 * The trace of a turn as known after one more event. Pure: the extension's trace view, the store and the command line all
 * get the same turn from the same events. A turn begins with `turnStarted`; other events without it are a programming error.
 */
export function foldTurn(previous: TraceTurn | undefined, event: AgentEvent): TraceTurn {
  if (event.type === 'turnStarted') {
    const { turnId, conversation, goal, at, model, budget } = event;
    return { turnId, traceId: traceIdOf(turnId), conversation, question: goal, startedAt: at, model, budget, hops: [], durationMs: 0, running: true, partial: false };
  }
  if (!previous) throw new Error(`A turn cannot begin with ${event.type}`);
  const turn = 'atMs' in event ? { ...previous, durationMs: Math.max(previous.durationMs, event.atMs) } : previous;
  switch (event.type) {
    case 'hopStarted':
      return { ...turn, hops: [...turn.hops, newHop(turn.turnId, event.hop, event.atMs)] };
    case 'firstToken':
      return turn.firstTokenMs === undefined ? { ...turn, firstTokenMs: event.atMs - waitedForUser(turn) } : turn;
    case 'textDelta':
      return changeHop(turn, event.hop, (hop) => ({ ...hop, textBytes: hop.textBytes + Buffer.byteLength(event.text) }));
    case 'modelProgress':
      return turn;
    case 'malformedCall':
      return changeHop(turn, event.hop, (hop) => ({ ...hop, malformed: [...hop.malformed, { atMs: event.atMs, problem: event.problem, repair: event.repair }] }));
    case 'condensed':
      return changeHop(turn, event.hop, (hop) => ({ ...hop, condensed: { results: event.results, tokensBefore: event.tokensBefore, tokensAfter: event.tokensAfter } }));
    case 'modelFinished':
      return changeHop(turn, event.hop, (hop) => ({
        ...hop, endMs: event.atMs, stats: event.stats,
        outcome: outcomeOf(event),
      }));
    case 'toolStarted':
      return changeHop(turn, event.hop, (hop) => ({ ...hop, endMs: event.atMs, tools: [...hop.tools, newTool(turn.turnId, event)] }));
    case 'policyDecided':
      return changeTool(turn, event.hop, event.callId, event.atMs, (tool) => ({ ...tool, policy: { verdict: event.verdict, reason: event.reason } }));
    case 'checkpointTaken':
      return turn;
    case 'serverStarted':
      return serverStarted(turn, event);
    case 'approvalRequested':
      return changeTool(turn, event.hop, event.callId, event.atMs, (tool) => ({ ...tool, waitingSinceMs: event.atMs }));
    case 'approvalResolved':
      return changeTool(turn, event.hop, event.callId, event.atMs, (tool) => ({
        ...decided(tool), endMs: event.atMs, approvalMs: tool.approvalMs + event.waitedMs, decision: event.decision,
      }));
    case 'toolFinished':
      return changeTool(turn, event.hop, event.callId, event.atMs, (tool) => ({
        ...decided(tool), endMs: event.atMs, toolMs: event.toolMs, approvalMs: event.approvalMs, resultBytes: event.resultBytes,
        truncated: event.truncated, outcome: event.outcome, summary: event.summary,
      }));
    case 'gate':
      return {
        ...turn, gate: { gate: event.gate, reason: event.reason, spent: event.spent, ...(event.error ? { error: event.error } : {}) },
      };
    case 'turnFinished':
      return { ...ended(turn), partial: event.partial };
  }
}

/** How long the user took to decide, until now. Exact to the microsecond, as events are. */
function waitedForUser({ hops }: TraceTurn): number {
  return hops.flatMap(({ tools }) => tools).reduce((sum, { approvalMs }) => sum + approvalMs, 0);
}

function outcomeOf({ calls, text, stats }: Extract<AgentEvent, { type: 'modelFinished' }>): string {
  if (stats.finish === 'error' || stats.finish === 'cancelled') return stats.finish;
  if (calls.length > 0) return calls.map(({ name }) => name).join(', ');
  return text.trim() === '' ? 'nothing' : 'answer';
}

function newHop(turnId: string, hop: number, atMs: number): TraceHop {
  return { hop, spanId: spanIdOf(turnId, 'hop', hop), startMs: atMs, endMs: atMs, outcome: 'running', textBytes: 0, malformed: [], tools: [] };
}

function newTool(turnId: string, event: Extract<AgentEvent, { type: 'toolStarted' }>): TraceTool {
  const json = JSON.stringify(event.call.arguments);
  return {
    callId: event.call.id, spanId: spanIdOf(turnId, 'tool', event.hop, event.call.id), name: event.call.name, class: event.class,
    startMs: event.atMs, endMs: event.atMs, toolMs: 0, approvalMs: 0, argumentBytes: event.argumentBytes, resultBytes: 0,
    truncated: false, summary: '', arguments: json.length > argumentLimit ? `${json.slice(0, argumentLimit)}…` : json,
  };
}

function serverStarted(turn: TraceTurn, { hop, callId, atMs, coldMs, server, problem }: Extract<AgentEvent, { type: 'serverStarted' }>): TraceTurn {
  const start = { server, spanId: spanIdOf(turn.turnId, 'start', hop, callId ?? '', server), startMs: Math.max(0, Math.round((atMs - coldMs) * 1000) / 1000), endMs: atMs, ...(problem === undefined ? {} : { problem }) };
  if (callId === undefined) return { ...turn, starts: [...turn.starts ?? [], start] };
  return changeTool(turn, hop, callId, atMs, (tool) => ({ ...tool, endMs: atMs, cold: start }));
}

function changeHop(turn: TraceTurn, number: number, change: (hop: TraceHop) => TraceHop): TraceTurn {
  return { ...turn, hops: turn.hops.map((hop) => (hop.hop === number ? change(hop) : hop)) };
}

function changeTool(turn: TraceTurn, number: number, callId: string, atMs: number, change: (tool: TraceTool) => TraceTool): TraceTurn {
  return changeHop(turn, number, (hop) => ({ ...hop, endMs: atMs, tools: hop.tools.map((tool) => (tool.callId === callId ? change(tool) : tool)) }));
}

/** Nobody waits any longer, whether there was a decision or not. */
function decided({ waitingSinceMs: _, ...tool }: TraceTool): TraceTool {
  return tool;
}

function ended(turn: TraceTurn): TraceTurn {
  return { ...turn, running: false, hops: turn.hops.map((hop) => ({ ...hop, tools: hop.tools.map(decided) })) };
}

/** A turn whose process died: what is known of it, marked as broken off. */
export function interruptedTurn(turn: TraceTurn): TraceTurn {
  const spent = {
    steps: turn.hops.length, wallMs: turn.durationMs,
    tokens: turn.hops.reduce((sum, { stats }) => sum + (stats ? Math.max(0, stats.tokensIn - stats.tokensCached) + stats.tokensOut : 0), 0),
  };
  const reason = `The process ended in step ${Math.max(1, turn.hops.length)}, before the turn was finished.`;
  return { ...ended(turn), partial: true, gate: turn.gate ?? { gate: 'error', reason, spent } };
}
