import type { Clock } from '../../base/clock.js';
import { toError } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import type { AgentEvent } from '../../protocol/agentEvents.js';
import type { Attachment, Turn } from '../../protocol/conversation.js';
import type { ConversationStore } from './conversationStore.js';
import type { OpenConversations } from './openConversations.js';
import { appendEvent, closeCutTurn, isFinished } from './storedTurn.js';
import type { RunTurn } from './turnPort.js';

/** Told what happens to a turn, in the order in which it happens. */
export interface TurnListener {
  /** `first`: the conversation has its title now. */
  began(turn: Turn, first: boolean): Promise<void>;
  happened(conversation: string, turnId: string, event: AgentEvent): void;
  /** Something went wrong outside of the turn; a sentence for the user. */
  failed(text: string): void;
  ended(): void;
}

export interface TurnDriverDeps {
  readonly conversations: OpenConversations;
  readonly store: ConversationStore;
  readonly run: RunTurn;
  /** URI of the folder in which the current conversation works; undefined when none is open. */
  readonly folder: () => string | undefined;
  readonly listener: TurnListener;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly logger: Logger;
}

export interface RunningTurn {
  readonly conversation: string;
  readonly turnId: string;
}

/** How often a streaming turn is written to disk, in milliseconds: what a crash can lose. */
const saveEveryMs = 500;

/** Runs one turn at a time: its events go into its conversation, to the listener and to disk, and it always ends. */
export class TurnDriver {
  private current: (RunningTurn & { readonly controller: AbortController; readonly done: Promise<void> }) | undefined;
  private lastSave = 0;

  constructor(private readonly deps: TurnDriverDeps) {}

  get running(): RunningTurn | undefined {
    return this.current;
  }

  /** Asks in the current conversation and resolves when the turn has ended. Not while another one runs. */
  async start(question: string, attachments: readonly Attachment[]): Promise<void> {
    const { conversations, store, listener, logger } = this.deps;
    const turn: Turn = { id: this.deps.newId(), question, attachments, events: [] };
    const history = conversations.memory;
    const folder = this.deps.folder();
    const conversation = conversations.begin(turn, folder);
    const controller = new AbortController();
    let ended = (): void => undefined;
    const done = new Promise<void>((resolve) => (ended = resolve));
    this.current = { conversation: conversation.id, turnId: turn.id, controller, done };
    await listener.began(turn, conversation.turns.length === 1);
    try {
      await store.saveTurn(conversation.id, turn.id, () => ({ turn }));
      await store.saveHead(conversation);
      await conversations.saveWindow();
      await this.follow(conversation.id, { turnId: turn.id, conversation: conversation.id, question, attachments, history, ...(folder === undefined ? {} : { folder }) }, controller.signal);
    } catch (thrown) {
      const error = toError(thrown);
      logger.log('error', 'A turn failed', { error });
      listener.failed(`${error.message} ${error.next}`);
    } finally {
      await this.finish(conversation.id, turn.id);
      ended();
    }
  }

  /** Ends the running turn at once; what it has of an answer stays, marked partial. Resolves when it has ended. */
  async stop(): Promise<void> {
    this.abort();
    await this.current?.done;
  }

  abort(): void {
    this.current?.controller.abort();
  }

  private async follow(conversation: string, request: Parameters<RunTurn>[0], signal: AbortSignal): Promise<void> {
    const { conversations, listener, run } = this.deps;
    const { turnId } = request;
    const events = run(request, signal);
    for (let next = await events.next(); ; next = await events.next()) {
      if (next.done) {
        const { messages } = next.value;
        conversations.change(conversation, turnId, (t) => ({ ...t, history: messages }));
        return;
      }
      const event = next.value;
      conversations.change(conversation, turnId, (t) => ({ ...t, turn: { ...t.turn, events: appendEvent(t.turn.events, event) } }));
      listener.happened(conversation, turnId, event);
      this.saveSometimes(conversation, turnId, event.type !== 'textDelta' && event.type !== 'modelProgress');
    }
  }

  private async finish(conversation: string, turnId: string): Promise<void> {
    const { conversations, store, listener, logger } = this.deps;
    const unfinished = conversations.turn(conversation, turnId)?.turn;
    if (unfinished && !isFinished(unfinished)) {
      const closed = closeCutTurn(unfinished, this.deps.clock.now());
      conversations.change(conversation, turnId, (t) => ({ ...t, turn: closed }));
      for (const event of closed.events.slice(unfinished.events.length)) listener.happened(conversation, turnId, event);
    }
    const stored = conversations.turn(conversation, turnId);
    this.current = undefined;
    conversations.release();
    if (stored) {
      try {
        await store.saveTurn(conversation, turnId, () => stored);
        await conversations.refreshHistory();
      } catch (thrown) {
        const error = toError(thrown);
        logger.log('error', 'The conversation could not be stored', { error });
        listener.failed(`This answer could not be stored: ${error.message}`);
      }
    }
    listener.ended();
  }

  private saveSometimes(conversation: string, turnId: string, important: boolean): void {
    const { conversations, store, clock, logger } = this.deps;
    const now = clock.monotonic();
    if (!important && now - this.lastSave < saveEveryMs) return;
    this.lastSave = now;
    const known = conversations.turn(conversation, turnId);
    if (!known) return;
    store.saveTurn(conversation, turnId, () => conversations.turn(conversation, turnId) ?? known).catch((thrown: unknown) => {
      logger.log('warn', 'A running turn could not be saved', { error: toError(thrown) });
    });
  }
}
