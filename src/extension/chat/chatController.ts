import type { Clock } from '../../base/clock.js';
import type { Disposable } from '../../base/disposable.js';
import { toError } from '../../base/errors.js';
import { Emitter, type Event } from '../../base/event.js';
import type { Logger } from '../../base/logger.js';
import type { AgentEvent } from '../../protocol/agentEvents.js';
import type { Attachment, ConversationSummary, Turn } from '../../protocol/conversation.js';
import type { ChatState, ContextGauge, HostToChat, ModelBadge } from '../../protocol/views.js';
import { type ChatFolders, folderBadge } from './chatFolder.js';
import { contextGauge } from './contextGauge.js';
import type { ChatDraft, ConversationStore, StoredConversation, StoredTurn } from './conversationStore.js';
import { appendEvent, closeCutTurn, isFinished } from './storedTurn.js';
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

interface Running {
  readonly conversation: string;
  readonly turnId: string;
  readonly controller: AbortController;
  readonly done: Promise<void>;
}

/** How often a streaming turn is written to disk, in milliseconds: what a crash can lose. */
const saveEveryMs = 500;

/**
 * The conversations of one workspace and the turn that runs. Knows nothing of VS Code: views receive {@link HostToChat}
 * messages and can ask for the whole state at any time, so that a view that was reloaded loses nothing.
 */
export class ChatController implements Disposable {
  private readonly messages = new Emitter<HostToChat>();
  private readonly turnEvents = new Emitter<AgentEvent>();
  private readonly runningChanged = new Emitter<boolean>();
  private readonly listeners: readonly Disposable[];
  /** The shown conversation and, when that is another one, the one whose turn runs. */
  private readonly open = new Map<string, StoredConversation>();
  private currentId: string;
  private history: readonly ConversationSummary[] = [];
  private draft: ChatDraft = { text: '', attachments: [] };
  private running: Running | undefined;
  private loaded: Promise<void> | undefined;
  private lastSave = 0;

  /** What changed, for the chat view. */
  readonly onMessage = this.messages.event;
  /** Every event of every turn, for the trace and the status bar. */
  readonly onTurnEvent = this.turnEvents.event;
  readonly onDidChangeRunning = this.runningChanged.event;

  constructor(private readonly deps: ChatDeps) {
    this.currentId = this.add(this.emptyConversation());
    const onModel = (): void => {
      this.messages.fire({ type: 'model', model: deps.model.badge });
      this.messages.fire({ type: 'context', context: this.gauge() });
    };
    const onFolders = (): void => this.messages.fire({ type: 'folder', folder: folderBadge(this.conversation.folder, deps.folders) });
    this.listeners = [deps.model.onDidChange(onModel), deps.folders.onDidChange(onFolders)];
  }

  get isRunning(): boolean {
    return this.running !== undefined;
  }

  /** URI of the folder that the shown conversation works in, or would. */
  get folder(): string | undefined {
    return this.conversation.folder ?? this.deps.folders.current?.uri;
  }

  /** The same of any conversation, for paths in its trace. */
  async folderOf(id: string): Promise<string | undefined> {
    return (this.open.get(id) ?? (await this.deps.store.read(id)))?.folder ?? this.folder;
  }

  /** Reads what was stored, once. Every other method waits for it. */
  load(): Promise<void> {
    return (this.loaded ??= this.loadStored());
  }

  async state(): Promise<ChatState> {
    await this.load();
    return this.snapshot();
  }

  private snapshot(): ChatState {
    const { turns, ...head } = this.conversation;
    return {
      conversation: { ...head, turns: turns.map((t) => t.turn) },
      history: this.history,
      running: this.running?.conversation === this.conversation.id ? this.running.turnId : null,
      model: this.deps.model.badge,
      context: this.gauge(),
      draft: this.draft,
      trusted: this.deps.trusted(),
      folder: folderBadge(this.conversation.folder, this.deps.folders),
    };
  }

  /** Starts a turn and resolves when it has ended. False when one runs already. */
  async ask(question: string, attachments: readonly Attachment[]): Promise<boolean> {
    await this.load();
    if (this.running) {
      this.notice('info', 'One question at a time: stop the running one, or wait for its answer.');
      return false;
    }
    await this.saveDraft({ text: '', attachments: [] });
    await this.runTurn(question, attachments);
    return true;
  }

  /** Asks a turn's question again. The last turn is replaced; an earlier one is asked anew at the end. */
  async retry(turnId: string): Promise<void> {
    await this.load();
    const stored = this.conversation.turns.find((t) => t.turn.id === turnId);
    if (!stored || this.running) return;
    if (this.conversation.turns.at(-1) === stored) {
      this.add({ ...this.conversation, turns: this.conversation.turns.slice(0, -1) });
      await this.deps.store.saveHead(this.conversation);
      await this.deps.store.deleteTurn(this.conversation.id, turnId);
      await this.sendState();
    }
    await this.runTurn(stored.turn.question, stored.turn.attachments);
  }

  /** Ends the running turn at once; what it has of an answer stays, marked partial. Resolves when it has ended. */
  async stop(): Promise<void> {
    this.running?.controller.abort();
    await this.running?.done;
  }

  async newChat(): Promise<void> {
    await this.load();
    if (this.conversation.turns.length === 0) return this.sendState();
    await this.show(this.emptyConversation());
  }

  /** Makes the shown chat one of this folder: a chat with turns stays where it began, and a new one is shown. */
  async useFolder(folder: string): Promise<void> {
    await this.load();
    if (this.running) return; // the question that comes next is refused, where the running one can be seen
    if (this.conversation.turns.length === 0) {
      this.add({ ...this.conversation, folder });
      await this.sendState();
    } else if (this.folder !== folder) await this.show({ ...this.emptyConversation(), folder });
  }

  async openConversation(id: string): Promise<void> {
    await this.load();
    if (id === this.currentId) return this.sendState();
    const stored = this.open.get(id) ?? (await this.readClosed(id));
    if (stored) await this.show(stored);
    else this.notice('error', 'This conversation is no longer there.');
  }

  async delete(id: string): Promise<void> {
    await this.load();
    if (this.running?.conversation === id) await this.stop();
    await this.deps.store.delete(id);
    this.history = this.history.filter((h) => h.id !== id);
    if (this.currentId === id) await this.show(this.emptyConversation());
    else await this.sendState();
  }

  async saveDraft(draft: ChatDraft): Promise<void> {
    await this.load();
    this.draft = draft;
    await this.saveWindow();
  }

  async conversations(): Promise<readonly ConversationSummary[]> {
    await this.load();
    return this.history;
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
  }

  dispose(): void {
    this.running?.controller.abort();
    for (const listener of this.listeners) listener.dispose();
    this.messages.dispose();
    this.turnEvents.dispose();
    this.runningChanged.dispose();
  }

  private async loadStored(): Promise<void> {
    const { store } = this.deps;
    const [state, history] = await Promise.all([store.readState(), store.list()]);
    this.history = history;
    this.draft = state.draft;
    const current = state.current ? await this.readClosed(state.current) : undefined;
    if (current) this.showOnly(current);
  }

  /** A conversation from disk; turns that a crash or a reload cut are closed as partial, on disk too. */
  private async readClosed(id: string): Promise<StoredConversation | undefined> {
    const stored = await this.deps.store.read(id);
    if (!stored) return undefined;
    const turns: StoredTurn[] = [];
    for (const t of stored.turns) {
      const closed = isFinished(t.turn) ? t : { ...t, turn: closeCutTurn(t.turn, this.deps.clock.now()) };
      if (closed !== t) await this.deps.store.saveTurn(id, t.turn.id, () => closed);
      turns.push(closed);
    }
    return { ...stored, turns };
  }

  private async runTurn(question: string, attachments: readonly Attachment[]): Promise<void> {
    const now = this.deps.clock.now();
    const turn: Turn = { id: this.deps.newId(), question, attachments, events: [] };
    const before = this.conversation;
    const { folder } = this;
    const conversation: StoredConversation = {
      ...before,
      ...(folder === undefined ? {} : { folder }),
      title: before.turns.length === 0 ? titleOf(question) : before.title,
      updatedAt: now,
      turns: [...before.turns, { turn }],
    };
    this.add(conversation);
    const history = before.turns.findLast((t) => t.history !== undefined)?.history ?? [];
    const controller = new AbortController();
    let ended = (): void => undefined;
    const done = new Promise<void>((resolve) => (ended = resolve));
    this.running = { conversation: conversation.id, turnId: turn.id, controller, done };
    if (before.turns.length === 0) await this.sendState(); // the conversation has its title now
    else {
      this.messages.fire({ type: 'turnAdded', turnId: turn.id, question, attachments });
      this.messages.fire({ type: 'running', turnId: turn.id });
    }
    this.runningChanged.fire(true);
    try {
      await this.deps.store.saveTurn(conversation.id, turn.id, () => ({ turn }));
      await this.deps.store.saveHead(conversation);
      await this.saveWindow();
      await this.follow(conversation.id, { turnId: turn.id, conversation: conversation.id, question, attachments, history, ...(folder === undefined ? {} : { folder }) }, controller.signal);
    } catch (thrown) {
      const error = toError(thrown);
      this.deps.logger.log('error', 'A turn failed', { error });
      this.notice('error', `${error.message} ${error.next}`);
    } finally {
      await this.finish(conversation.id, turn.id);
      ended();
    }
  }

  private async follow(conversation: string, request: Parameters<RunTurn>[0], signal: AbortSignal): Promise<void> {
    const events = this.deps.run(request, signal);
    for (let next = await events.next(); ; next = await events.next()) {
      if (next.done) {
        const { messages } = next.value;
        this.change(conversation, request.turnId, (t) => ({ ...t, history: messages }));
        return;
      }
      const event = next.value;
      this.change(conversation, request.turnId, (t) => ({ ...t, turn: { ...t.turn, events: appendEvent(t.turn.events, event) } }));
      if (this.currentId === conversation) this.messages.fire({ type: 'event', turnId: request.turnId, event });
      if (event.type === 'modelFinished') this.messages.fire({ type: 'context', context: this.gauge() });
      this.turnEvents.fire(event);
      this.saveSometimes(conversation, request.turnId, event.type !== 'textDelta' && event.type !== 'modelProgress');
    }
  }

  private async finish(conversationId: string, turnId: string): Promise<void> {
    const unfinished = this.turnOf(conversationId, turnId)?.turn;
    if (unfinished && !isFinished(unfinished)) {
      const closed = closeCutTurn(unfinished, this.deps.clock.now());
      this.change(conversationId, turnId, (t) => ({ ...t, turn: closed }));
      for (const event of closed.events.slice(unfinished.events.length)) {
        if (this.currentId === conversationId) this.messages.fire({ type: 'event', turnId, event });
        this.turnEvents.fire(event);
      }
    }
    const stored = this.turnOf(conversationId, turnId);
    this.running = undefined;
    if (conversationId !== this.currentId) this.open.delete(conversationId);
    if (stored) {
      try {
        await this.deps.store.saveTurn(conversationId, turnId, () => stored);
        this.history = await this.deps.store.list();
      } catch (thrown) {
        const error = toError(thrown);
        this.deps.logger.log('error', 'The conversation could not be stored', { error });
        this.notice('error', `This answer could not be stored: ${error.message}`);
      }
    }
    this.messages.fire({ type: 'running', turnId: null });
    this.runningChanged.fire(false);
  }

  private saveSometimes(conversation: string, turnId: string, important: boolean): void {
    const now = this.deps.clock.monotonic();
    if (!important && now - this.lastSave < saveEveryMs) return;
    this.lastSave = now;
    const known = this.turnOf(conversation, turnId);
    if (!known) return;
    this.deps.store.saveTurn(conversation, turnId, () => this.turnOf(conversation, turnId) ?? known).catch((thrown: unknown) => {
      this.deps.logger.log('warn', 'A running turn could not be saved', { error: toError(thrown) });
    });
  }

  private get conversation(): StoredConversation {
    return this.open.get(this.currentId) as StoredConversation;
  }

  private add(conversation: StoredConversation): string {
    this.open.set(conversation.id, conversation);
    return conversation.id;
  }

  private turnOf(conversation: string, turnId: string): StoredTurn | undefined {
    return this.open.get(conversation)?.turns.find((t) => t.turn.id === turnId);
  }

  private change(conversation: string, turnId: string, next: (turn: StoredTurn) => StoredTurn): void {
    const held = this.open.get(conversation);
    if (held) this.add({ ...held, turns: held.turns.map((t) => (t.turn.id === turnId ? next(t) : t)) });
  }

  private showOnly(next: StoredConversation): void {
    if (this.running?.conversation !== this.currentId) this.open.delete(this.currentId);
    this.currentId = this.add(next);
  }

  private async show(next: StoredConversation): Promise<void> {
    this.showOnly(next);
    this.draft = { text: '', attachments: [] };
    this.history = await this.deps.store.list();
    await this.saveWindow();
    await this.sendState();
  }

  private async saveWindow(): Promise<void> {
    const current = this.conversation.turns.length > 0 ? { current: this.conversation.id } : {};
    await this.deps.store.saveState({ ...current, draft: this.draft });
  }

  private emptyConversation(): StoredConversation {
    const now = this.deps.clock.now();
    return { id: this.deps.newId(), title: 'New Chat', createdAt: now, updatedAt: now, turns: [] };
  }

  private gauge(): ContextGauge {
    return contextGauge(this.conversation.turns.map(({ turn }) => turn), this.deps.model.contextSize);
  }
}

const longestTitle = 60;

export function titleOf(question: string): string {
  const line = question.trim().replace(/\s+/g, ' ');
  return line.length <= longestTitle ? line : `${line.slice(0, longestTitle - 1).trimEnd()}…`;
}
