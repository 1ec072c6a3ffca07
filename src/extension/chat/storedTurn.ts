import { makeError } from '../../base/errors.js';
import type { AgentEvent, Spent } from '../../protocol/agentEvents.js';
import type { Turn } from '../../protocol/conversation.js';

/**
 * A turn's events with one more. Deltas of one hop become one event and progress is not kept: a stored turn stays about as
 * long as what it says.
 */
export function appendEvent(events: readonly AgentEvent[], event: AgentEvent): readonly AgentEvent[] {
  if (event.type === 'modelProgress') return events;
  const last = events.at(-1);
  if (event.type === 'textDelta' && last?.type === 'textDelta' && last.hop === event.hop) {
    return [...events.slice(0, -1), { ...last, text: last.text + event.text }];
  }
  return [...events, event];
}

export const isFinished = (turn: Turn): boolean => turn.events.at(-1)?.type === 'turnFinished';

/** Text of the last hop that said anything: what an unfinished turn has of its answer. */
export function partialAnswer(events: readonly AgentEvent[]): string {
  const deltas = events.filter((e) => e.type === 'textDelta');
  const hop = deltas.at(-1)?.hop;
  return deltas.filter((e) => e.hop === hop).map((e) => e.text).join('');
}

/**
 * A turn that was cut off, closed as partial, so that it can be shown and asked again. An approval that waited stays
 * without a decision: it has expired, and nothing of it was carried out.
 */
export function closeCutTurn(turn: Turn, now: number): Turn {
  if (isFinished(turn)) return turn;
  const started = turn.events.find((e) => e.type === 'turnStarted');
  const atMs = Math.max(0, ...turn.events.map((e) => ('atMs' in e ? e.atMs : 0)));
  const error = makeError('internal', 'The editor closed or reloaded before this turn ended.', 'Retry to ask again.');
  return {
    ...turn,
    events: [
      ...turn.events,
      { type: 'gate', atMs, gate: 'error', reason: error.message, spent: spentBy(turn.events, atMs), error },
      { type: 'turnFinished', at: started ? started.at + atMs : now, atMs, answer: partialAnswer(turn.events), partial: true },
    ],
  };
}

function spentBy(events: readonly AgentEvent[], wallMs: number): Spent {
  let tokens = 0;
  let steps = 0;
  for (const event of events) {
    if (event.type === 'hopStarted') steps += 1;
    if (event.type === 'modelFinished') tokens += event.stats.tokensIn - event.stats.tokensCached + event.stats.tokensOut;
  }
  return { steps, tokens, wallMs };
}
