import type { Budget, Gate, Spent } from '../protocol/agentEvents.js';
import type { GenerationStats, ToolCall } from '../protocol/chat.js';

/** Why a turn is about to end, before its last hop has run. */
export interface Closing { readonly gate: Gate; readonly reason: string }

export type HopPlan =
  | { readonly kind: 'run'; readonly toolChoice: 'auto' | 'none'; readonly maxTokens: number; readonly limit: 'context' | 'tokens' | 'answer'; readonly closing?: Closing }
  | { readonly kind: 'stop'; readonly closing: Closing };

export interface HopState {
  /** Number of the hop to plan, from 1. */
  readonly hop: number;
  readonly budget: Budget;
  readonly spent: Spent;
  readonly promptTokens: number;
  readonly contextSize: number;
  /** Stats of the hop before. */
  readonly last?: GenerationStats;
  readonly closing?: Closing;
}

/** Most tokens of one answer: a small model that runs away stops here. */
export const maxAnswerTokens = 4_096;
/** An answer shorter than this is not worth a hop. */
const minAnswerTokens = 32;
export const repeatLimit = 3;
export const judgeLimit = 3;

export const count = (n: number): string => Math.round(n).toLocaleString('en-US');
const seconds = (ms: number): string => `${count(ms / 1000)} s`;

/**
 * Decides about the next hop. Steps and time keep a last hop back for an answer without tools; tokens do when enough are
 * left. Pure.
 */
export function planHop(state: HopState): HopPlan {
  const { hop, budget, spent } = state;
  if (hop > budget.steps) {
    return { kind: 'stop', closing: state.closing ?? { gate: 'steps', reason: `All ${count(budget.steps)} steps are used.` } };
  }
  const tokensLeft = budget.tokens - spent.tokens - expectedPrefill(state);
  const caps = [
    { limit: 'context', tokens: state.contextSize - state.promptTokens },
    { limit: 'tokens', tokens: tokensLeft },
    { limit: 'answer', tokens: maxAnswerTokens },
  ] as const;
  const cap = caps.reduce((least, other) => (other.tokens < least.tokens ? other : least));
  if (tokensLeft < minAnswerTokens) {
    const reason = `The turn has used ${count(spent.tokens)} of ${count(budget.tokens)} tokens, too many for another step.`;
    return { kind: 'stop', closing: { gate: 'tokens', reason } };
  }
  const closing = state.closing ?? closingFor(state, tokensLeft);
  return {
    kind: 'run', toolChoice: closing || hop === budget.steps ? 'none' : 'auto', maxTokens: Math.max(1, cap.tokens), limit: cap.limit,
    ...(closing ? { closing } : {}),
  };
}

/** Time that a last hop needs: a fifth of the budget up to a minute, more where the model has shown to be slow. */
function closingMs({ budget, last }: HopState): number {
  const lastMs = last ? last.queueMs + last.restoreMs + last.prefillMs + last.decodeMs : 0;
  return Math.min(budget.wallMs / 2, Math.max(Math.min(60_000, budget.wallMs / 5), 1.5 * lastMs));
}

function closingFor(state: HopState, tokensLeft: number): Closing | undefined {
  const { hop, budget, spent } = state;
  if (hop === 1) return undefined; // nothing was asked for yet that would be cut off
  if (hop === budget.steps) {
    return { gate: 'steps', reason: `The budget of ${count(budget.steps)} steps is used; the last one was kept for an answer.` };
  }
  if (tokensLeft < Math.min(1_024, budget.tokens / 4)) {
    return { gate: 'tokens', reason: `The turn has used ${count(spent.tokens)} of ${count(budget.tokens)} tokens; the rest was kept for an answer.` };
  }
  if (spent.wallMs >= budget.wallMs - closingMs(state)) {
    return { gate: 'wallClock', reason: `The turn has taken ${seconds(spent.wallMs)} of ${seconds(budget.wallMs)}; the rest was kept for an answer.` };
  }
  return undefined;
}

/**
 * Tokens that the next hop will prefill. A runtime that keeps the prefix pays for what is new; one that showed no cached
 * tokens pays for all. Before the first hop nobody knows, and the turn is given the chance.
 */
function expectedPrefill({ last, hop, promptTokens }: HopState): number {
  if (!last) return 0;
  const cacheSeen = last.tokensCached > 0 || hop === 2;
  return cacheSeen ? Math.max(0, promptTokens - last.tokensIn - last.tokensOut) : promptTokens;
}

/** Prefilled plus decoded tokens of one generation. */
export const tokensOf = (stats: GenerationStats): number => Math.max(0, stats.tokensIn - stats.tokensCached) + stats.tokensOut;

/** Counts identical calls (name and arguments) since something was last changed: a change makes looking again sensible. */
export class RepeatCounter {
  private readonly seen = new Map<string, number>();

  /** How often this call has now been asked for. */
  add(call: ToolCall): number {
    const key = `${call.name} ${canonical(call.arguments)}`;
    const times = (this.seen.get(key) ?? 0) + 1;
    this.seen.set(key, times);
    return times;
  }

  changed(): void {
    this.seen.clear();
  }
}

/** JSON with sorted keys: equal for equal arguments, whatever their order. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner);
}

export const reasons = {
  answered: (hops: number, calls: number, checked: string | undefined): string =>
    `Answered after ${plural(hops, 'step')} and ${plural(calls, 'tool call')}${checked === undefined ? '' : `; checked: ${checked}`}.`,
  wallClock: (wallMs: number, limitMs: number): string => `The time budget of ${seconds(limitMs)} is used (${seconds(wallMs)}, approvals not counted).`,
  cancelled: (hop: number): string => `Stopped by the user in step ${hop}.`,
  repeated: (name: string): string => `The model called ${name} ${repeatLimit} times with the same arguments.`,
  malformed: 'The model wrote a tool call that could not be used, and its second try could not be used either.',
  judge: (reason: string): string => `The rules judge refused the answer ${judgeLimit} times, last because: ${reason}`,
  cutByContext: (tokens: number, size: number): string => `The answer was cut off after ${plural(tokens, 'token')}: the context of ${count(size)} tokens is full.`,
  cutByBudget: (tokens: number, limit: number): string => `The answer was cut off after ${plural(tokens, 'token')}: the turn may use ${count(limit)} tokens.`,
  cutByLength: (tokens: number): string => `The answer was cut off after ${plural(tokens, 'token')}, the most for one answer.`,
  contextFull: (need: number, size: number): string =>
    `The question with its attachments needs ${count(need)} tokens; the model's context of ${count(size)} has no room for that and an answer.`,
  emptyTwice: 'The model gave an empty answer twice.',
} as const;

export function plural(n: number, noun: string): string {
  return n === 1 ? `1 ${noun}` : `${count(n)} ${noun}s`;
}
