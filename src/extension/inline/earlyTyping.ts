import type { Clock } from '../../base/clock.js';
import type { InlineStatus } from '../../protocol/inline.js';

/** How long after a keystroke the user may still be waiting for what it would have brought. */
const stillWaitingMs = 60_000;

/**
 * Typing before suggestions are there: while the model's file is checked and loaded nobody answers the editor, and it asks again only
 * at the next keystroke. Says when it is worth asking in its place.
 */
export class EarlyTyping {
  private ready = false;
  private typed: { readonly uri: string; readonly at: number } | undefined;

  constructor(private readonly clock: Clock) {}

  changed(uri: string): void {
    if (!this.ready) this.typed = { uri, at: this.clock.monotonic() };
  }

  /** @returns true when suggestions have just become available, and the user typed in the document at `shown` while they were not. */
  becomes(state: InlineStatus['state'], shown: string | undefined): boolean {
    const wasReady = this.ready;
    this.ready = state === 'ready';
    if (!this.ready || wasReady) return false;
    const { typed } = this;
    this.typed = undefined;
    return typed !== undefined && typed.uri === shown && this.clock.monotonic() - typed.at <= stillWaitingMs;
  }
}
