import type { LoupeError } from '../base/errors.js';
import type { TraceTurn } from '../protocol/trace.js';

/** Text for a terminal: what a model or a file wrote must not move the cursor or change colours. */
export function terminalSafe(text: string): string {
  return text.replace(/\r\n/g, '\n').replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (c) => `\\x${c.charCodeAt(0).toString(16)}`);
}

const columns = ['hop', 'outcome', 'queue', 'restore', 'prefill', 'decode', 'tool', 'in', 'cached', 'out'] as const;
const longestOutcome = 40;

/** One row per hop: times in milliseconds, then tokens. */
export function hopTable(turn: TraceTurn): string {
  const rows = turn.hops.map(({ hop, outcome, stats, tools }) => [
    String(hop), shorten(terminalSafe(outcome)), ms(stats?.queueMs), ms(stats?.restoreMs), ms(stats?.prefillMs), ms(stats?.decodeMs),
    ms(tools.reduce((sum, tool) => sum + tool.toolMs, 0)), whole(stats?.tokensIn), whole(stats?.tokensCached), whole(stats?.tokensOut),
  ]);
  const widths = columns.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === 1 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ').trimEnd();
  return [line(columns), ...rows.map(line)].join('\n');
}

const shorten = (text: string): string => (text.length > longestOutcome ? `${text.slice(0, longestOutcome - 1)}…` : text);
const ms = (value: number | undefined): string => (value === undefined ? '-' : Math.round(value).toString());
const whole = (value: number | undefined): string => (value === undefined ? '-' : String(value));

/** Why the turn stopped, and how long everything took. */
export function gateLine(turn: TraceTurn): string {
  const { gate } = turn;
  if (!gate) return '';
  const first = turn.firstTokenMs === undefined ? '' : `, first text after ${seconds(turn.firstTokenMs)}`;
  return `gate: ${gate.gate}. ${terminalSafe(gate.reason)}\n${seconds(turn.durationMs)} in all${first}, ${gate.spent.tokens.toLocaleString('en-US')} tokens read anew or written, ${terminalSafe(turn.model)}`;
}

const seconds = (value: number): string => `${(value / 1000).toFixed(1)} s`;

/** What a person can do differs from the editor where the next step names an editor's command. */
export function describeError(error: LoupeError): string {
  const here = error.code.startsWith('model.') || error.code === 'endpoint.unreachable'
    ? '\nHere: `npm run setup` fetches a model, --model FILE.gguf takes your own, --endpoint URL asks a server.' : '';
  return terminalSafe(`${error.message}\n${error.next}`) + here;
}

export const exitCodes = { answered: 0, failed: 1, usage: 2, partial: 3, cancelled: 130 } as const;

export function exitCodeOf(turn: TraceTurn): number {
  if (turn.gate?.gate === 'answered') return exitCodes.answered;
  if (turn.gate?.gate === 'cancelled') return exitCodes.cancelled;
  return turn.gate?.error ? exitCodes.failed : exitCodes.partial;
}
