import { sha256 } from '../store/hash.js';
import type { IndexStore } from '../store/indexStore.js';

/** The tokenizer of the model that will read the blocks. */
export interface TokenCounter {
  /** The same for equal counts: the model's name and whatever else its tokenizer depends on. */
  readonly id: string;
  /** One number for each text, as data: text that looks like a control token is counted as text. */
  countTokens(texts: readonly string[], signal: AbortSignal): Promise<readonly number[]>;
}

/** Counts each text once, also over restarts: a tokenizer in another process takes about a millisecond for a file. */
export function remembering(counter: TokenCounter, store: IndexStore): TokenCounter {
  return {
    id: counter.id,
    countTokens: async (texts, signal) => {
      const hashes = texts.map(sha256);
      const known = new Map(store.tokens(counter.id, hashes));
      const missing = [...new Set(hashes)].filter((hash) => !known.has(hash));
      if (missing.length > 0) {
        const counts = await counter.countTokens(missing.map((hash) => texts[hashes.indexOf(hash)] ?? ''), signal);
        const found = new Map(missing.map((hash, index) => [hash, counts[index] ?? 0]));
        store.writeTokens(counter.id, found);
        for (const [hash, count] of found) known.set(hash, count);
      }
      return hashes.map((hash) => known.get(hash) ?? 0);
    },
  };
}
