import type { TraceHop, TraceStart, TraceTool, TraceTurn } from '../../protocol/trace.js';

/** What a piece of a bar stands for, in the order in which the parts of a hop happen. `running`: still open. */
export const segmentKinds = ['queue', 'restore', 'prefill', 'decode', 'tool', 'wait', 'start', 'running'] as const;
export type SegmentKind = (typeof segmentKinds)[number];

export const segmentNames: Readonly<Record<SegmentKind, string>> = {
  queue: 'queue', restore: 'restore', prefill: 'prefill', decode: 'decode', tool: 'tool', wait: 'waiting for you', start: 'server start', running: 'running',
};

/** Times in milliseconds since the turn began. `open`: it grows until the user decides. */
export interface Segment { readonly kind: SegmentKind; readonly startMs: number; readonly durationMs: number; readonly open?: true }

interface RowBase {
  /** Stable over updates of the same turn: the selection is kept by it. */
  readonly id: string;
  readonly segments: readonly Segment[];
  /** Time that the row itself took, without the rows below it. */
  readonly ms: number;
}
export type ToolRow = RowBase & { readonly kind: 'tool'; readonly hop: TraceHop; readonly tool: TraceTool };
export type Row =
  | (RowBase & { readonly kind: 'hop'; readonly hop: TraceHop })
  | ToolRow
  | (RowBase & { readonly kind: 'start'; readonly start: TraceStart })
  | (RowBase & { readonly kind: 'gate'; readonly turn: TraceTurn });

export interface Waterfall { readonly rows: readonly Row[]; readonly axisMs: number; readonly ticksMs: readonly number[] }

/** The goal for a chat's first token, drawn as a line. */
export const firstTokenGoalMs = 800;

/** Rows and scale of a turn; `nowMs` is how long a running turn has run as the view's clock says. */
export function layOut(turn: TraceTurn, nowMs: number): Waterfall {
  const end = turn.running ? Math.max(turn.durationMs, nowMs) : turn.durationMs;
  const rows: Row[] = [];
  turn.starts?.forEach((start, index) => rows.push(startRow(start, index)));
  turn.hops.forEach((hop, index) => {
    const last = index === turn.hops.length - 1;
    rows.push(hopRow(hop, turn.running && last && hop.tools.length === 0 ? end : undefined));
    hop.tools.forEach((tool, at) => rows.push(toolRow(hop, tool, at, turn.running ? end : undefined)));
  });
  rows.push({ kind: 'gate', id: 'gate', turn, segments: [], ms: end });
  const axisMs = niceCeiling(Math.max(end, 1000));
  return { rows, axisMs, ticksMs: ticks(axisMs) };
}

function hopRow(hop: TraceHop, runningUntil: number | undefined): Row {
  const { stats } = hop;
  const segments: Segment[] = [];
  let at = hop.startMs;
  if (stats) {
    const parts = [['queue', stats.queueMs], ['restore', stats.restoreMs], ['prefill', stats.prefillMs], ['decode', stats.decodeMs]] as const;
    for (const [kind, durationMs] of parts) {
      if (durationMs <= 0) continue;
      segments.push({ kind, startMs: at, durationMs });
      at += durationMs;
    }
  } else if (runningUntil !== undefined) segments.push({ kind: 'running', startMs: at, durationMs: Math.max(0, runningUntil - at) });
  return { kind: 'hop', id: `hop${hop.hop}`, hop, segments, ms: modelWallMs(hop, runningUntil) };
}

/** An MCP server that was started before the first hop. */
function startRow(start: TraceStart, index: number): Row {
  const ms = start.endMs - start.startMs;
  return { kind: 'start', id: `start${index}`, start, segments: [{ kind: 'start', startMs: start.startMs, durationMs: ms }], ms };
}

function toolRow(hop: TraceHop, tool: TraceTool, index: number, runningUntil: number | undefined): Row {
  const segments: Segment[] = [];
  if (tool.approvalMs > 0) segments.push({ kind: 'wait', startMs: tool.startMs, durationMs: tool.approvalMs });
  const cold = coldMs(tool);
  if (cold > 0) segments.push({ kind: 'start', startMs: tool.startMs + tool.approvalMs, durationMs: cold });
  if (tool.toolMs > 0) segments.push({ kind: 'tool', startMs: tool.startMs + tool.approvalMs + cold, durationMs: tool.toolMs });
  const open = tool.outcome === undefined && runningUntil !== undefined;
  const closed = tool.approvalMs + cold + tool.toolMs;
  if (open) segments.push(openSegment(tool, runningUntil));
  return { kind: 'tool', id: `hop${hop.hop}tool${index}`, hop, tool, segments, ms: open ? runningUntil - tool.startMs : closed };
}

function openSegment(tool: TraceTool, until: number): Segment {
  const { waitingSinceMs } = tool;
  if (waitingSinceMs !== undefined) return { kind: 'wait', startMs: waitingSinceMs, durationMs: Math.max(0, until - waitingSinceMs), open: true };
  const startMs = tool.startMs + tool.approvalMs + coldMs(tool) + tool.toolMs;
  return { kind: 'running', startMs, durationMs: Math.max(0, until - startMs) };
}

/** How long the server behind the tool took to start, where it had to. */
export const coldMs = ({ cold }: TraceTool): number => (cold ? cold.endMs - cold.startMs : 0);

/** The row whose tool the user has to decide about; at most one waits at a time. */
export function waitingRow(rows: readonly Row[]): ToolRow | undefined {
  return rows.find((row): row is ToolRow => row.kind === 'tool' && isWaiting(row));
}

export const isWaiting = (row: ToolRow): boolean => row.segments.some(({ open }) => open);

/** Time that the user took to decide, or has taken so far. */
export const waitedMs = (row: ToolRow): number => row.segments.reduce((sum, { kind, durationMs }) => sum + (kind === 'wait' ? durationMs : 0), 0);

/** From the start of the hop until its first tool started, or until it ended: the model and everything around it. */
export function modelWallMs(hop: TraceHop, runningUntil?: number): number {
  const end = hop.stats ? hop.tools[0]?.startMs ?? hop.endMs : runningUntil ?? hop.endMs;
  return Math.max(0, end - hop.startMs);
}

/** Time of a hop that none of the engine's four parts accounts for: prompt building, tokenizing, transport. */
export function unaccountedMs(hop: TraceHop): number {
  const { stats } = hop;
  return stats ? Math.max(0, modelWallMs(hop) - stats.queueMs - stats.restoreMs - stats.prefillMs - stats.decodeMs) : 0;
}

/** The next of 1, 2, 2.5, 5 times a power of ten. */
export function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  for (const factor of [1, 2, 2.5, 5, 10]) if (value <= factor * power) return factor * power;
  return 10 * power;
}

/** Five steps, or four where five would not be round. */
function ticks(axisMs: number): number[] {
  const count = axisMs % 4 === 0 && axisMs % 5 !== 0 ? 4 : 5;
  return Array.from({ length: count + 1 }, (_, index) => (axisMs / count) * index);
}

/** Position on the axis in percent, kept inside it. */
export function percentOf(ms: number, axisMs: number): number {
  return Math.min(100, Math.max(0, (ms / axisMs) * 100));
}

export const tokensPerSecond = (tokens: number, ms: number): number | undefined => (tokens > 0 && ms > 0 ? (tokens / ms) * 1000 : undefined);
