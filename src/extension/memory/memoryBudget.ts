/** Tokens of the context that stay free for the conversation. */
const freeTokens = 8_192;
/** In a smaller context than this the memory takes a third. */
const smallContext = 12_288;

/** Least tokens that a plan can be asked for. */
export const smallestBudget = 1_000;

/** Most tokens that are remembered in a context of `contextSize` tokens, at most `setting`. */
export function memoryBudget(contextSize: number, setting: number): number {
  const room = contextSize < smallContext ? Math.floor(contextSize / 3) : contextSize - freeTokens;
  return Math.min(setting, room);
}
