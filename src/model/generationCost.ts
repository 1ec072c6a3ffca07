import type { GenerationStats } from '../protocol/chat.js';

/**
 * The cost of requests that one after the other extended one prompt. Times and written tokens add up; the prompt is the last
 * one's, of which everything counts as cached that no request had to prefill.
 */
export function addStats(before: GenerationStats | undefined, next: GenerationStats): GenerationStats {
  if (before === undefined) return next;
  const prefilled = before.tokensIn - before.tokensCached + next.tokensIn - next.tokensCached;
  const restored = (before.tokensRestored ?? 0) + (next.tokensRestored ?? 0);
  const ahead = (before.tokensAhead ?? 0) + (next.tokensAhead ?? 0);
  return {
    queueMs: before.queueMs + next.queueMs,
    restoreMs: before.restoreMs + next.restoreMs,
    prefillMs: before.prefillMs + next.prefillMs,
    decodeMs: before.decodeMs + next.decodeMs,
    tokensIn: next.tokensIn,
    tokensCached: Math.max(0, next.tokensIn - prefilled),
    ...(restored > 0 ? { tokensRestored: restored } : {}),
    ...(ahead > 0 ? { tokensAhead: ahead } : {}),
    tokensOut: before.tokensOut + next.tokensOut,
    kvBytes: next.kvBytes,
    finish: next.finish,
  };
}
