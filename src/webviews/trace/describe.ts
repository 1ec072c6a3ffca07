import type { TraceGate, TraceHop, TraceTool, TraceTurn } from '../../protocol/trace.js';
import { formatBytes, formatCount, formatDuration, formatMemory, formatMilliseconds, formatShare, formatTokensShort, plural } from '../shared/format.js';
import { coldMs, isWaiting, type Row, segmentNames, tokensPerSecond, type ToolRow, unaccountedMs, waitedMs } from './layout.js';

export interface Fact { readonly name: string; readonly value: string }

const failedGates = new Set<TraceGate['gate']>(['error', 'malformedCalls']);
const gateNames: Readonly<Record<TraceGate['gate'], string>> = {
  answered: 'answered, no tool call', judge: 'not accepted by the judge', steps: 'out of steps', tokens: 'out of tokens', wallClock: 'out of time',
  repeatedCalls: 'the same call repeated', malformedCalls: 'tool calls not understood', contextFull: 'context full', cancelled: 'stopped by you', error: 'error',
};

/** How a turn stands: with a sign, so that colour is never the only difference. */
export function gateLabel(turn: TraceTurn): { readonly sign: string; readonly text: string; readonly kind: 'done' | 'stopped' | 'failed' | 'running' | 'waiting' } {
  if (turn.running && waitingTool(turn)) return { sign: '?', text: 'waiting for your decision', kind: 'waiting' };
  if (turn.running) return { sign: '…', text: 'running', kind: 'running' };
  if (!turn.gate) return { sign: '!', text: 'broken off', kind: 'failed' };
  const kind = failedGates.has(turn.gate.gate) ? 'failed' : turn.partial || turn.gate.gate === 'cancelled' ? 'stopped' : 'done';
  return { sign: { done: '✓', stopped: '■', failed: '✕' }[kind], text: `gate: ${gateNames[turn.gate.gate]}${turn.partial ? ' · partial answer' : ''}`, kind };
}

/** The tool about which the user has to decide before the turn can go on. */
export function waitingTool(turn: TraceTurn): TraceTool | undefined {
  return turn.hops.at(-1)?.tools.find(({ waitingSinceMs }) => waitingSinceMs !== undefined);
}

/** The first string of a tool's arguments, as in `search_text "fingerprint"`. */
export function toolSubject(tool: TraceTool): string {
  const match = /:\s*"((?:[^"\\]|\\.){1,200})"/.exec(tool.arguments);
  if (match?.[1] === undefined) return '';
  try {
    return String(JSON.parse(`"${match[1]}"`)).replace(/\s+/g, ' ');
  } catch {
    return match[1];
  }
}

/** The path a tool's arguments name, for a link into the editor. */
export function toolPath(tool: TraceTool): string | undefined {
  try {
    const args: unknown = JSON.parse(tool.arguments);
    return typeof args === 'object' && args !== null && 'path' in args && typeof args.path === 'string' && args.path !== '' ? args.path : undefined;
  } catch {
    return undefined; // cut off by the trace
  }
}

/** Arguments indented where they are whole JSON, else as they are. */
export function prettyArguments(tool: TraceTool): string {
  try {
    return JSON.stringify(JSON.parse(tool.arguments), null, 2);
  } catch {
    return tool.arguments;
  }
}

export function rowCells(row: Row): { readonly input: string; readonly cached: string; readonly output: string; readonly ms: string } {
  const ms = formatCount(row.ms);
  if (row.kind === 'gate' || row.kind === 'start') return { input: '', cached: '', output: '', ms };
  if (row.kind === 'tool') return { input: formatBytes(row.tool.argumentBytes), cached: '', output: row.tool.outcome ? formatBytes(row.tool.resultBytes) : '', ms };
  const { stats } = row.hop;
  if (!stats) return { input: '', cached: '', output: '', ms };
  return { input: formatCount(stats.tokensIn), cached: formatShare(stats.tokensCached, stats.tokensIn), output: formatCount(stats.tokensOut), ms };
}

/** The bar in words, for tooltips and screen readers. */
export function barText(row: Row): string {
  return row.segments.map(({ kind, durationMs }) => `${segmentNames[kind]} ${formatDuration(durationMs)}`).join(', ');
}

function rate(tokens: number, ms: number): string {
  const perSecond = tokensPerSecond(tokens, ms);
  const parts = [tokens > 0 ? plural(tokens, 'token') : '', formatMilliseconds(ms), perSecond === undefined ? '' : `${formatCount(perSecond)} tok/s`];
  return parts.filter((part) => part !== '').join(' · ');
}

export function hopTimes(hop: TraceHop): readonly Fact[] {
  const { stats } = hop;
  if (!stats) return [];
  const restored = stats.tokensRestored ?? 0;
  return [
    { name: 'queue', value: formatMilliseconds(stats.queueMs) },
    // What was there takes no time of its own: restoring is looking for it, and loading what is on disk.
    { name: 'reused', value: `${plural(Math.max(0, stats.tokensCached - restored), 'token')} · in memory` },
    { name: 'restored', value: `${plural(restored, 'token')} · ${formatMilliseconds(stats.restoreMs)}` },
    { name: 'prefilled', value: rate(Math.max(0, stats.tokensIn - stats.tokensCached), stats.prefillMs) },
    { name: 'decode', value: rate(stats.tokensOut, stats.decodeMs) },
    { name: 'around the model', value: formatMilliseconds(unaccountedMs(hop)) },
  ];
}

export function hopCache(hop: TraceHop): readonly Fact[] {
  const { stats } = hop;
  if (!stats) return [];
  return [
    { name: 'prompt', value: plural(stats.tokensIn, 'token') },
    { name: 'found in cache', value: `${plural(stats.tokensCached, 'token')}${stats.tokensIn > 0 ? ` (${formatShare(stats.tokensCached, stats.tokensIn)})` : ''}` },
    ...(stats.tokensRestored === undefined ? [] : [{ name: 'of these from disk', value: plural(stats.tokensRestored, 'token') }]),
    ...(stats.tokensAhead === undefined ? [] : [{ name: 'of these before you asked', value: `${formatCount(stats.tokensAhead)} read while you typed` }]),
    { name: 'held', value: stats.kvBytes > 0 ? formatMemory(stats.kvBytes) : 'not reported' },
    ...(stats.kvBytes > 0 && stats.tokensIn + stats.tokensOut > 0
      ? [{ name: 'per token', value: formatMemory(stats.kvBytes / (stats.tokensIn + stats.tokensOut)) }] : []),
  ];
}

const finishWords = { stop: 'The model ended its turn.', length: 'The token limit cut it off.', cancelled: 'It was cancelled.', error: 'The engine failed.' } as const;

export function hopOutcome(hop: TraceHop): readonly string[] {
  const lines: string[] = [];
  if (!hop.stats) lines.push('The model is still working.');
  else if (hop.tools.some(({ waitingSinceMs }) => waitingSinceMs !== undefined)) lines.push(`It called ${hop.outcome}. The loop goes on when you have decided.`);
  else if (hop.tools.length > 0) lines.push(`It called ${hop.outcome}, so the loop went on.`);
  else if (hop.outcome === 'answer') lines.push('It answered and called no tool.');
  if (hop.stats) lines.push(finishWords[hop.stats.finish]);
  for (const { problem, repair } of hop.malformed) lines.push(`A tool call was not understood (${problem}); ${repair === 'retrying' ? 'the model was shown the error and asked again.' : 'given up.'}`);
  if (hop.condensed) {
    const { results, tokensBefore, tokensAfter } = hop.condensed;
    lines.push(`${plural(results, 'earlier result')} shortened to fit the context: ${formatCount(tokensBefore)} tokens became ${formatCount(tokensAfter)}.`);
  }
  return lines;
}

const verdictWords = { allow: 'allowed', ask: 'asked', deny: 'refused' } as const;

export function toolFacts(row: ToolRow): readonly Fact[] {
  const { tool } = row;
  const waited = waitedMs(row);
  return [
    { name: 'kind', value: tool.class },
    { name: 'tool', value: formatMilliseconds(tool.toolMs) },
    ...(tool.cold ? [{ name: `cold start of ${tool.cold.server}`, value: formatMilliseconds(coldMs(tool)) }] : []),
    ...(tool.policy ? [{ name: 'policy', value: `${verdictWords[tool.policy.verdict]}: ${tool.policy.reason}` }] : []),
    ...(waited > 0 || tool.decision ? [{ name: 'waiting for you', value: formatMilliseconds(waited) }] : []),
    ...(tool.decision && !isWaiting(row) ? [{ name: 'your decision', value: tool.decision }] : []),
    { name: 'arguments', value: formatBytes(tool.argumentBytes) },
    { name: 'result', value: `${formatBytes(tool.resultBytes)}${tool.truncated ? ', cut to fit' : ''}` },
    { name: 'outcome', value: tool.outcome ?? (isWaiting(row) ? 'waiting for your decision' : 'running') },
  ];
}

/** Spent against the budget, in one sentence. */
export function budgetSentence({ budget }: TraceTurn, { spent }: TraceGate): string {
  return `Steps ${formatCount(spent.steps)} of ${formatCount(budget.steps)}, tokens ${formatTokensShort(spent.tokens)} of ${formatTokensShort(budget.tokens)}, ${formatDuration(spent.wallMs)} of ${formatDuration(budget.wallMs)}.`;
}

/** Spent against the budget, one line each. */
export function budgetFacts(turn: TraceTurn, gate: TraceGate): readonly Fact[] {
  const { spent } = gate;
  const { budget } = turn;
  return [
    { name: 'steps', value: `${formatCount(spent.steps)} of ${formatCount(budget.steps)}` },
    { name: 'tokens', value: `${formatCount(spent.tokens)} of ${formatCount(budget.tokens)}` },
    { name: 'time', value: `${formatDuration(spent.wallMs)} of ${formatDuration(budget.wallMs)}` },
  ];
}
