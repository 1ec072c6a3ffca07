import { mayBecomeTextCall } from './textCalls.js';

/**
 * Passes on the text of a reply as it comes, but for what may not be meant for the user: a beginning that may still turn out to be a
 * written call, and thoughts between `thought` markers.
 */
export class ReplyStream {
  private held = '';
  private released = false;
  private thinking = false;

  constructor(
    private readonly show: (text: string) => void,
    private readonly options: { readonly holdCalls: boolean; readonly thought?: { readonly open: string; readonly close: string } },
  ) {}

  push(text: string): void {
    this.held += text;
    this.dropThoughts();
    if (this.thinking || (!this.released && this.options.holdCalls && mayBecomeTextCall(this.held))) return;
    this.release(this.partialMarker());
  }

  /** The reply is over and is an answer: shows what was held back. */
  end(): void {
    this.dropThoughts();
    if (!this.thinking) this.release(0);
  }

  private release(keep: number): void {
    const text = this.held.slice(0, this.held.length - keep);
    this.held = this.held.slice(text.length);
    if (text === '') return;
    this.released = true;
    this.show(text);
  }

  private dropThoughts(): void {
    const { thought } = this.options;
    if (thought === undefined) return;
    for (;;) {
      const mark = this.thinking ? thought.close : thought.open;
      const at = this.held.indexOf(mark);
      if (at < 0) return;
      if (this.thinking) this.held = this.held.slice(at + mark.length);
      else {
        const before = this.held.slice(0, at);
        const after = this.held.slice(at + mark.length);
        this.held = before;
        this.release(0);
        this.held = after;
      }
      this.thinking = !this.thinking;
    }
  }

  /** Length of an end of the held text that may be the beginning of a thought marker. */
  private partialMarker(): number {
    const open = this.options.thought?.open ?? '';
    for (let length = Math.min(open.length - 1, this.held.length); length > 0; length--) {
      if (this.held.endsWith(open.slice(0, length))) return length;
    }
    return 0;
  }
}
