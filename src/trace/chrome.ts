import type { TraceHop, TraceStart, TraceTurn } from '../protocol/trace.js';

/** An event of the Chrome trace format (JSON object form); times in microseconds. Opens in Perfetto and chrome://tracing. */
export interface ChromeEvent {
  readonly name: string;
  readonly ph: 'X' | 'M' | 'i';
  readonly pid: number;
  readonly tid: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly cat?: string;
  readonly s?: 't';
  readonly args: Readonly<Record<string, unknown>>;
}

export interface ChromeTrace { readonly traceEvents: readonly ChromeEvent[]; readonly displayTimeUnit: 'ms' }

const rows = { turn: 1, hops: 2, model: 3, tools: 4, servers: 5 } as const;

/** One process per turn; rows for the turn, its hops, the parts of each model call, tools with approvals, and MCP servers that were started. */
export function toChromeTrace(turns: readonly TraceTurn[]): ChromeTrace {
  return { traceEvents: turns.flatMap((turn, index) => turnEvents(turn, index + 1)), displayTimeUnit: 'ms' };
}

function turnEvents(turn: TraceTurn, pid: number): ChromeEvent[] {
  const at = (ms: number): number => Math.round((turn.startedAt + ms) * 1000);
  const span = (name: string, cat: keyof typeof rows, startMs: number, ms: number, args: Record<string, unknown>): ChromeEvent =>
    ({ name, ph: 'X', cat, pid, tid: rows[cat], ts: at(startMs), dur: Math.max(0, Math.round(ms * 1000)), args });
  const names: ChromeEvent[] = [
    { name: 'process_name', ph: 'M', pid, tid: rows.turn, args: { name: turn.question.slice(0, 80) } },
    ...Object.entries(rows).map(([name, tid]) => ({ name: 'thread_name', ph: 'M' as const, pid, tid, args: { name } })),
  ];
  const cold = ({ server, startMs, endMs, problem }: TraceStart): ChromeEvent => span(`start ${server}`, 'servers', startMs, endMs - startMs, { problem });
  const hops = turn.hops.flatMap((hop) => [
    span(`hop ${hop.hop}: ${hop.outcome}`, 'hops', hop.startMs, hop.endMs - hop.startMs, { textBytes: hop.textBytes, condensed: hop.condensed, malformed: hop.malformed.length }),
    ...modelParts(hop).map(({ name, startMs, ms }) => span(name, 'model', startMs, ms, { ...hop.stats })),
    ...hop.tools.flatMap((tool) => [
      span(tool.name, 'tools', tool.startMs, tool.endMs - tool.startMs, {
        outcome: tool.outcome, summary: tool.summary, arguments: tool.arguments, argumentBytes: tool.argumentBytes,
        resultBytes: tool.resultBytes, toolMs: tool.toolMs, approvalMs: tool.approvalMs,
      }),
      ...(tool.cold ? [cold(tool.cold)] : []),
    ]),
  ]);
  const gate: ChromeEvent[] = turn.gate
    ? [{ name: `gate: ${turn.gate.gate}`, ph: 'i', s: 't', cat: 'turn', pid, tid: rows.turn, ts: at(turn.durationMs), args: { reason: turn.gate.reason, ...turn.gate.spent } }]
    : [];
  return [...names, span('turn', 'turn', 0, turn.durationMs, { turnId: turn.turnId, model: turn.model, partial: turn.partial }), ...(turn.starts ?? []).map(cold), ...hops, ...gate];
}

/** The parts of a model call, one after the other as the runtime does them. */
export function modelParts(hop: TraceHop): readonly { readonly name: 'queue' | 'restore' | 'prefill' | 'decode'; readonly startMs: number; readonly ms: number }[] {
  if (!hop.stats) return [];
  const { queueMs, restoreMs, prefillMs, decodeMs } = hop.stats;
  let startMs = hop.startMs;
  return ([['queue', queueMs], ['restore', restoreMs], ['prefill', prefillMs], ['decode', decodeMs]] as const)
    .map(([name, ms]) => {
      const part = { name, startMs, ms };
      startMs += ms;
      return part;
    })
    .filter(({ ms }) => ms > 0);
}
