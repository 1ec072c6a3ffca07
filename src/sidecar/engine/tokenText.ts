const replacement = '\uFFFD';
/** A character has at most four bytes, so more tokens than this cannot belong to one unfinished character. */
const longestCharacter = 8;
const contextTokens = 4;

/** Turns tokens into text as they come, holding back the bytes of an unfinished character. */
export class TokenText {
  private pending: number[] = [];
  private before: number[] = [];

  /** `detokenize` gives the text of `tokens`, which follow `before`. */
  constructor(private readonly detokenize: (tokens: readonly number[], before: readonly number[]) => string) {}

  push(token: number): string {
    this.pending.push(token);
    const text = this.detokenize(this.pending, this.before);
    if (text.endsWith(replacement) && this.pending.length < longestCharacter) return '';
    return this.take(text);
  }

  flush(): string {
    return this.pending.length === 0 ? '' : this.take(this.detokenize(this.pending, this.before));
  }

  private take(text: string): string {
    this.before = [...this.before, ...this.pending].slice(-contextTokens);
    this.pending = [];
    return text;
  }
}
