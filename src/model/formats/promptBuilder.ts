import type { PromptSegment } from '../../protocol/sidecar.js';

/** Collects a prompt. Neighbours of one kind become one segment, so that the tokens do not depend on how a format cuts its strings. */
export class PromptBuilder {
  private readonly segments: PromptSegment[] = [];

  /** Markers of the format itself: the only text that may become control tokens. */
  control(text: string): this {
    return this.add(text, true);
  }

  /** Anything that a user, a file, a tool or a model wrote. */
  text(text: string): this {
    return this.add(text, false);
  }

  /** A name or a number: what has word characters only cannot hold a marker, and is tokenised with what is around it, as models write it. */
  word(text: string): this {
    return this.add(text, /^[\w.+-]*$/.test(text));
  }

  /** Texts that come again, in the same words, in other prompts: each is tokenised alone and ends at a border. */
  blocks(texts: readonly string[]): this {
    for (const text of texts) if (text !== '') this.segments.push({ text, control: false, border: true });
    return this;
  }

  build(): PromptSegment[] {
    return [...this.segments];
  }

  private add(text: string, control: boolean): this {
    const last = this.segments.at(-1);
    if (text === '') return this;
    if (last?.control === control && last.border !== true) this.segments[this.segments.length - 1] = { text: last.text + text, control };
    else this.segments.push({ text, control });
    return this;
  }
}
