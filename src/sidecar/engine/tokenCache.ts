import type { Token } from 'node-llama-cpp';

/** Characters of all texts that are kept: several prompts of the largest usual context. */
const mostCharacters = 4_000_000;
/** Shorter texts cost less than finding them. */
const shortest = 32;

/**
 * Tokens of texts that were tokenised before, least recently used first to go. Every request of a conversation brings its whole prompt along, of which only the end is new:
 * tokenising 20,000 tokens of code takes 40 ms (Qwen2.5) to 140 ms (Gemma 3), in which the sidecar answers nobody.
 */
export class TokenCache {
  /** In the order of their last use. */
  private readonly known = new Map<string, readonly Token[]>();
  private characters = 0;

  constructor(private readonly most = mostCharacters) {}

  /** @param how whatever else the result depends on */
  get(how: string, text: string, tokenize: () => readonly Token[]): readonly Token[] {
    if (text.length < shortest || text.length > this.most) return tokenize();
    const key = `${how}\0${text}`;
    const found = this.known.get(key) ?? tokenize();
    if (!this.known.delete(key)) this.characters += key.length;
    this.known.set(key, found);
    for (const oldest of this.known.keys()) {
      if (this.characters <= this.most) break;
      this.known.delete(oldest);
      this.characters -= oldest.length;
    }
    return found;
  }
}
