import type { Gate } from '../../../protocol/agentEvents.js';
import { formatCount, formatDuration, plural } from '../../shared/format.js';
import type { TurnView } from './turnView.js';

/** `done`: the goal was reached; `stopped`: a limit or the user; `failed`: an error. */
export type GateKind = 'done' | 'stopped' | 'failed';

export function gateKind(gate: Gate, partial: boolean): GateKind {
  if (gate === 'error' || gate === 'malformedCalls') return 'failed';
  return gate === 'answered' && !partial ? 'done' : 'stopped';
}

const shortNames: Readonly<Record<Gate, string>> = {
  answered: 'answered', judge: 'the judge did not accept it', steps: 'out of steps', tokens: 'out of tokens', wallClock: 'out of time',
  repeatedCalls: 'the same call again and again', malformedCalls: 'tool calls not understood', contextFull: 'context full',
  cancelled: 'by you', error: 'by an error',
};

export const gateName = (gate: Gate): string => shortNames[gate];

/** Whether the reason says more than the summary beside it: why it is not done, or what the rules judge looked at. */
export const saysMore = (kind: GateKind, reason: string): boolean => kind !== 'done' || reason.includes('; checked: ');

/** For example "answered, 2 of 15 steps · 24,112 tokens cached, 96 read, 143 written · 3.65 s". */
export function gateSummary(turn: TurnView): string {
  if (!turn.gate) return '';
  const { gate, spent } = turn.gate;
  const steps = turn.budget ? `${formatCount(spent.steps)} of ${plural(turn.budget.steps, 'step')}` : plural(spent.steps, 'step');
  const { cached, read, written } = turn.tokens;
  const duration = turn.durationMs ?? spent.wallMs;
  return `${gateName(gate)}, ${steps} · ${formatCount(cached)} tokens cached, ${formatCount(read)} read, ${formatCount(written)} written · ${formatDuration(duration)}`;
}
