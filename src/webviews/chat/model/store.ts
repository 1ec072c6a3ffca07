import type { HostToChat } from '../../../protocol/views.js';
import { type ChatViewState, initialChatState, type LocalAction, reduceChat } from './chatState.js';

/**
 * Holds the state and tells one listener. Text and progress come many times per frame, so they are drawn once per frame;
 * everything else (an approval, a finished turn) is drawn at once, also while the view is hidden and frames do not come.
 */
export class ChatStore {
  private current = initialChatState;
  private listener: (() => void) | undefined;
  private frame: number | undefined;

  constructor(private readonly frames: { request(callback: () => void): number; cancel(handle: number): void }) {}

  get state(): ChatViewState {
    return this.current;
  }

  /** Calls the listener at once and after every change that is to be drawn. */
  subscribe(listener: () => void): void {
    this.listener = listener;
    listener();
  }

  dispatch(message: HostToChat | LocalAction): void {
    const next = reduceChat(this.current, message);
    if (next === this.current) return;
    this.current = next;
    if (message.type === 'event' && (message.event.type === 'textDelta' || message.event.type === 'modelProgress')) {
      this.frame ??= this.frames.request(() => this.notify());
      return;
    }
    this.notify();
  }

  private notify(): void {
    if (this.frame !== undefined) this.frames.cancel(this.frame);
    this.frame = undefined;
    this.listener?.();
  }
}
