import type { Turn } from '../../protocol/conversation.js';
import type { ContextGauge } from '../../protocol/views.js';

/** What the last model call of a conversation says about its context of `size` tokens. */
export function contextGauge(turns: readonly Turn[], size: number): ContextGauge {
  for (const turn of turns.toReversed()) {
    const last = turn.events.findLast((e) => e.type === 'modelFinished');
    if (last) return { used: last.stats.tokensIn + last.stats.tokensOut, cached: last.stats.tokensCached, size };
  }
  return { used: 0, cached: 0, size };
}
