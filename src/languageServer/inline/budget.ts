import type { GenerationStats } from '../../protocol/chat.js';

/** Most tokens of each part of a prompt. */
export interface PromptBudget {
  readonly prefix: number;
  readonly suffix: number;
  /** Chunks of other files. */
  readonly context: number;
}

/** Assumed until measured: a 0.5B model on two cores. */
const assumedTokensPerSecond = 300;
const smoothing = 0.3;
/** Fewer tokens say more about the fixed cost of a request than about speed. */
const leastMeasured = 32;
/** Other sizes make the whole prompt new, so the plan follows the speed only when it is this many times faster or slower than planned for. */
const worthReplanning = 1.5;

/**
 * Sizes of the prompt's parts from how fast this machine reads. The suffix comes after the growing prefix, so it is read again with every
 * request: it may cost 0.2 s. Prefix and context are read once and stay cached: a few seconds for a file seen for the first time.
 */
export class BudgetPlanner {
  private tokensPerSecond = assumedTokensPerSecond;
  private planned = assumedTokensPerSecond;

  measured({ tokensIn, tokensCached, prefillMs }: GenerationStats): void {
    const read = tokensIn - tokensCached;
    if (read < leastMeasured || prefillMs <= 0) return;
    this.tokensPerSecond += smoothing * ((1000 * read) / prefillMs - this.tokensPerSecond);
    const change = this.tokensPerSecond / this.planned;
    if (change >= worthReplanning || change <= 1 / worthReplanning) this.planned = this.tokensPerSecond;
  }

  /** `contextSize` and `maxTokens` in tokens: what the runtime really has, and what the suggestion may take of it. */
  plan(contextSize: number, maxTokens: number): PromptBudget {
    const room = Math.max(64, contextSize - maxTokens - 32);
    const inSteps = (seconds: number, least: number, most: number): number =>
      Math.min(most, Math.max(least, 2 ** Math.floor(Math.log2(this.planned * seconds))));
    return {
      prefix: Math.min(inSteps(4, 256, 2048), Math.floor(room * 0.55)),
      suffix: Math.min(inSteps(0.25, 32, 512), Math.floor(room * 0.15)),
      context: Math.min(inSteps(2, 0, 1024), Math.floor(room * 0.3)),
    };
  }
}
