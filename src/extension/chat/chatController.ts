import type { Clock } from '../../base/clock.js';
import { type Disposable, DisposableStore } from '../../base/disposable.js';
import { Emitter, type Event } from '../../base/event.js';
import type { Logger } from '../../base/logger.js';
import type { AgentEvent } from '../../protocol/agentEvents.js';
import type { ChatMessage } from '../../protocol/chat.js';
import type { Attachment, Turn } from '../../protocol/conversation.js';
import type { ChatState, ContextGauge, HostToChat, ModelBadge } from '../../protocol/views.js';
import { type ChatFolders, folderBadge } from './chatFolder.js';
import { contextGauge } from './contextGauge.js';
import type { ChatDraft, ConversationStore } from './conversationStore.js';
import { OpenConversations } from './openConversations.js';
import { TurnDriver } from './turnDriver.js';
import type { RunTurn } from './turnPort.js';

export interface ChatModelState {
  readonly badge: ModelBadge;
  /** Tokens; 0 while unknown. */
  readonly contextSize: number;
  readonly onDidChange: Event<void>;
}

export interface ChatDeps {
  readonly store: ConversationStore;
  readonly run: RunTurn;
  readonly model: ChatModelState;
  readonly folders: ChatFolders & { readonly onDidChange: Event<void> };
  readonly trusted: () => boolean;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly logger: Logger;
}

/**
 * What the chat can do, and what it tells its views. Knows nothing of VS Code: views receive {@link HostToChat} messages and can
 * ask for the whole state at any time, so that a view that was reloaded loses nothing.
 */
export class ChatController implements Disposable {
  private readonly disposables = new DisposableStore();
  private readonly messages = this.disposables.add(new Emitter<HostToChat>());
  private readonly turnEvents = this.disposables.add(new Emitter<AgentEvent>());
  private readonly runningChanged = this.disposables.add(new Emitter<boolean>());
  private readonly folderChanged = this.disposables.add(new Emitter<void>());
  private readonly conversations: OpenConversations;
  private readonly driver: TurnDriver;

  /** What changed, for the chat view. */
  readonly onMessage = this.messages.event;
  /** Every event of every turn, for the trace and the status bar. */
  readonly onTurnEvent = this.turnEvents.event;
  readonly onDidChangeRunning = this.runningChanged.event;
  /** Another conversation is shown, or other folders are open: {@link folder} may be another one. */
  readonly onDidChangeFolder = this.folderChanged.event;

  constructor(private readonly deps: ChatDeps) {
    this.conversations = new OpenConversations(deps);
    this.driver = new TurnDriver({
      ...deps, conversations: this.conversations, folder: () => this.folder,
      listener: {
        began: (turn, first) => this.onBegan(turn, first),
        happened: (conversation, turnId, event) => this.onEvent(conversation, turnId, event),
        failed: (text) => this.notice('error', text),
        ended: () => {
          this.messages.fire({ type: 'running', turnId: null });
          this.runningChanged.fire(false);
        },
      },
    });
    this.disposables.add(deps.model.onDidChange(() => {
      this.messages.fire({ type: 'model', model: deps.model.badge });
      this.messages.fire({ type: 'context', context: this.gauge() });
    }));
    this.disposables.add(deps.folders.onDidChange(() => {
      this.messages.fire({ type: 'folder', folder: this.folderBadge() });
      this.folderChanged.fire();
    }));
  }

  get isRunning(): boolean {
    return this.driver.running !== undefined;
  }

  /** URI of the folder that the shown conversation works in, or would. */
  get folder(): string | undefined {
    return this.conversations.current.folder ?? this.deps.folders.current?.uri;
  }

  /** What the next turn would begin with. */
  get upcoming(): { readonly conversation: string; readonly history: readonly ChatMessage[]; readonly folder: string | undefined } {
    return { conversation: this.conversations.current.id, history: this.conversations.memory, folder: this.folder };
  }

  /** The same of any conversation, for paths in its trace. */
  async folderOf(id: string): Promise<string | undefined> {
    return (await this.conversations.find(id))?.folder ?? this.folder;
  }

  /** Reads what was stored, once. Every other method waits for it. */
  load(): Promise<void> {
    return this.conversations.load();
  }

  async state(): Promise<ChatState> {
    await this.load();
    return this.snapshot();
  }

  /** Starts a turn and resolves when it has ended. False when one runs already. */
  async ask(question: string, attachments: readonly Attachment[]): Promise<boolean> {
    await this.load();
    if (this.isRunning) {
      this.notice('info', 'One question at a time: stop the running one, or wait for its answer.');
      return false;
    }
    await this.saveDraft({ text: '', attachments: [] });
    await this.driver.start(question, attachments);
    return true;
  }

  /** Asks a turn's question again. The last turn is replaced; an earlier one is asked anew at the end. */
  async retry(turnId: string): Promise<void> {
    await this.load();
    const { turns } = this.conversations.current;
    const stored = turns.find((t) => t.turn.id === turnId);
    if (!stored || this.isRunning) return;
    if (turns.at(-1) === stored) {
      await this.conversations.removeLastTurn();
      await this.sendState();
    }
    await this.driver.start(stored.turn.question, stored.turn.attachments);
  }

  /** Ends the running turn at once; what it has of an answer stays, marked partial. Resolves when it has ended. */
  stop(): Promise<void> {
    return this.driver.stop();
  }

  async newChat(): Promise<void> {
    await this.load();
    if (this.conversations.current.turns.length > 0) await this.conversations.show();
    await this.sendState();
  }

  /** Makes the shown chat one of this folder: a chat with turns stays where it began, and a new one is shown. */
  async useFolder(folder: string): Promise<void> {
    await this.load();
    if (this.isRunning) return; // the question that comes next is refused, where the running one can be seen
    if (this.conversations.current.turns.length === 0) this.conversations.moveTo(folder);
    else if (this.folder !== folder) await this.conversations.showNew(folder);
    await this.sendState();
  }

  async openConversation(id: string): Promise<void> {
    await this.load();
    if (!this.conversations.isCurrent(id)) {
      const stored = await this.conversations.find(id);
      if (!stored) return this.notice('error', 'This conversation is no longer there.');
      await this.conversations.show(stored);
    }
    await this.sendState();
  }

  async delete(id: string): Promise<void> {
    await this.load();
    if (this.driver.running?.conversation === id) await this.stop();
    await this.conversations.delete(id);
    await this.sendState();
  }

  async saveDraft(draft: ChatDraft): Promise<void> {
    await this.load();
    await this.conversations.saveDraft(draft);
  }

  /** Puts text and attachments into the input of the chat, without sending. */
  async prefill(text: string, attachments: readonly Attachment[]): Promise<void> {
    await this.saveDraft({ text, attachments });
    this.messages.fire({ type: 'prefill', text, attachments, focus: true });
  }

  notice(level: 'info' | 'error', text: string): void {
    this.messages.fire({ type: 'notice', level, text });
  }

  /** Taken and sent in one step: what happens after it follows as messages, and nothing falls between. */
  async sendState(): Promise<void> {
    await this.load();
    this.messages.fire({ type: 'state', state: this.snapshot() });
    this.folderChanged.fire();
  }

  dispose(): void {
    this.driver.abort();
    this.disposables.dispose();
  }

  private snapshot(): ChatState {
    const { turns, ...head } = this.conversations.current;
    const { running } = this.driver;
    return {
      conversation: { ...head, turns: turns.map((t) => t.turn) },
      history: this.conversations.history,
      running: running?.conversation === head.id ? running.turnId : null,
      model: this.deps.model.badge,
      context: this.gauge(),
      draft: this.conversations.draft,
      trusted: this.deps.trusted(),
      folder: this.folderBadge(),
    };
  }

  private async onBegan({ id: turnId, question, attachments }: Turn, first: boolean): Promise<void> {
    if (first) await this.sendState();
    else {
      this.messages.fire({ type: 'turnAdded', turnId, question, attachments });
      this.messages.fire({ type: 'running', turnId });
    }
    this.runningChanged.fire(true);
  }

  private onEvent(conversation: string, turnId: string, event: AgentEvent): void {
    if (this.conversations.isCurrent(conversation)) this.messages.fire({ type: 'event', turnId, event });
    if (event.type === 'modelFinished') this.messages.fire({ type: 'context', context: this.gauge() });
    this.turnEvents.fire(event);
  }

  private gauge(): ContextGauge {
    return contextGauge(this.conversations.current.turns.map(({ turn }) => turn), this.deps.model.contextSize);
  }

  private folderBadge(): ReturnType<typeof folderBadge> {
    return folderBadge(this.conversations.current.folder, this.deps.folders);
  }
}
