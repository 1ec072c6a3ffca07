import type { FirstInput } from '../../agent/prefix.js';
import type { Timers } from '../../agent/timers.js';
import { type Disposable, DisposableStore } from '../../base/disposable.js';
import { toError } from '../../base/errors.js';
import type { Event } from '../../base/event.js';
import type { Logger } from '../../base/logger.js';
import type { Result } from '../../base/result.js';
import type { ChatModel } from '../../model/chatModel.js';
import type { ChatMessage } from '../../protocol/chat.js';
import type { Attachment } from '../../protocol/conversation.js';
import type { PrefixStats } from '../../protocol/memory.js';
import type { ConversationMemory } from '../memory/conversationMemory.js';

/** What stands in the input: whole words of a question, and what is attached. */
export interface Typed { readonly text: string; readonly attachments: readonly Attachment[] }

export interface TypingAheadDeps {
  readonly controller: {
    readonly isRunning: boolean;
    readonly upcoming: { readonly conversation: string; readonly history: readonly ChatMessage[]; readonly folder: string | undefined };
    readonly onDidChangeRunning: Event<boolean>;
  };
  /** `ready`: the model that is loaded now. */
  readonly models: { readonly ready: ChatModel | undefined; readonly onDidChange: Event<void> };
  /** Attachments as text for the prompt, as the turn will have them. */
  readonly attachments: (attachments: readonly Attachment[], folder: string | undefined, signal: AbortSignal) => Promise<string>;
  /** What the conversation's turns remember of the repository. */
  readonly memoryOf: ConversationMemory['memoryOf'];
  readonly read: (model: ChatModel, input: FirstInput & { readonly conversation: string }, folder: string, signal: AbortSignal) => Promise<Result<PrefixStats> | undefined>;
  readonly timers: Pick<Timers, 'after'>;
  readonly logger: Logger;
}

/** After something else was asked, what it left to read is tried again after this time. */
const againMs = 2000;

/**
 * Has the model read the next prompt while the user types it, so that after Return only the rest is left. One attempt at a time: a newer one ends the one
 * before and finds what that has read. Nothing waits for it, nothing is loaded for it, a turn ends it, and what anything else cut off goes on later.
 */
export class TypingAhead implements Disposable {
  private readonly disposables = new DisposableStore();
  private current: Typed | null = null;
  private attempt = new AbortController();
  private again: Disposable | undefined;
  private model: ChatModel | undefined;

  constructor(private readonly deps: TypingAheadDeps) {
    this.disposables.add(deps.controller.onDidChangeRunning((running) => {
      if (running) this.stop();
      else this.start();
    }));
    this.disposables.add(deps.models.onDidChange(() => {
      if (deps.models.ready !== this.model) this.start();
    }));
  }

  /** Null: the user left the input. What is being read then is read to its end, and nothing new begins. */
  typed(typed: Typed | null): void {
    this.current = typed;
    if (typed) this.start();
  }

  dispose(): void {
    this.stop();
    this.disposables.dispose();
  }

  private stop(): void {
    this.attempt.abort();
    this.again?.dispose();
  }

  private start(): void {
    const { controller, models } = this.deps;
    this.model = models.ready;
    if (!this.current || !this.model?.prefill || controller.isRunning) return;
    this.stop();
    this.attempt = new AbortController();
    void this.read(this.model, this.current, this.attempt.signal);
  }

  private async read(model: ChatModel, { text, attachments }: Typed, signal: AbortSignal): Promise<void> {
    const { controller, logger } = this.deps;
    const { conversation, history, folder } = controller.upcoming;
    if (folder === undefined) return;
    try {
      const [context, memory] = await Promise.all([this.deps.attachments(attachments, folder, signal), this.deps.memoryOf({ id: conversation, begun: history.length > 0, folder }, model, signal)]);
      signal.throwIfAborted();
      const input = { conversation, goal: text, context, history, zone: 'full' as const, ...(memory === undefined ? {} : { memory }) };
      const read = await this.deps.read(model, input, folder, signal);
      if (read?.ok === false) {
        if (read.error.code !== 'cancelled') this.failed(read.error);
        return;
      }
      if (read) logger.log('debug', 'Read ahead', { ...read.value });
      const givenUp = read !== undefined && read.value.reused + read.value.prefilled < read.value.tokens;
      if (givenUp && !signal.aborted) this.again = this.deps.timers.after(againMs, () => this.start());
    } catch (thrown) {
      if (!signal.aborted) this.failed(toError(thrown));
    }
  }

  /** Only for the log: if it matters, the turn meets it too and says so. */
  private failed({ code, message }: { readonly code: string; readonly message: string }): void {
    this.deps.logger.log('info', 'Nothing was read ahead', { code, message });
  }
}
