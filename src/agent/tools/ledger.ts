import type { ToolContext, ToolResult } from './tool.js';

/** Calls with an effect that were already made, by turn and call: the same call never takes effect twice. */
export type Ledger = Map<string, Promise<ToolResult>>;

/** Oldest entries go first; a turn has far fewer calls with effects. */
const mostEntries = 1_000;

/** Runs `effect` unless this turn's call already ran, and gives every caller the one result. */
export function applyOnce(ledger: Ledger, context: Pick<ToolContext, 'turnId' | 'callId'>, effect: () => Promise<ToolResult>): Promise<ToolResult> {
  const key = `${context.turnId}/${context.callId}`;
  const known = ledger.get(key);
  if (known) return known;
  const result = effect();
  ledger.set(key, result);
  const [oldest] = ledger.keys();
  if (ledger.size > mostEntries && oldest !== undefined) ledger.delete(oldest);
  return result;
}
