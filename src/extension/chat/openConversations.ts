import type { Clock } from '../../base/clock.js';
import type { ChatMessage } from '../../protocol/chat.js';
import type { ConversationSummary, Turn } from '../../protocol/conversation.js';
import type { ChatDraft, ConversationStore, StoredConversation, StoredTurn } from './conversationStore.js';
import { closeCutTurn, isFinished } from './storedTurn.js';

export interface OpenConversationsDeps {
  readonly store: ConversationStore;
  readonly clock: Clock;
  readonly newId: () => string;
}

const emptyDraft: ChatDraft = { text: '', attachments: [] };

/**
 * The conversations of one workspace as a window holds them: the shown one, the one whose turn runs, the list of all, and
 * what is typed but not sent. Whatever a reload must bring back is stored with each change.
 */
export class OpenConversations {
  /** The shown conversation and, when that is another one, the busy one. */
  private readonly open = new Map<string, StoredConversation>();
  private currentId: string;
  private busyId: string | undefined;
  private all: readonly ConversationSummary[] = [];
  private typed: ChatDraft = emptyDraft;
  private loaded: Promise<void> | undefined;

  constructor(private readonly deps: OpenConversationsDeps) {
    this.currentId = this.put(this.empty());
  }

  /** Reads what was stored, once. */
  load(): Promise<void> {
    return (this.loaded ??= this.loadStored());
  }

  get current(): StoredConversation {
    return this.open.get(this.currentId) as StoredConversation;
  }

  /** Newest first. */
  get history(): readonly ConversationSummary[] {
    return this.all;
  }

  get draft(): ChatDraft {
    return this.typed;
  }

  isCurrent(id: string): boolean {
    return id === this.currentId;
  }

  /** What the model remembers when the next turn of the current conversation begins. */
  get memory(): readonly ChatMessage[] {
    return this.current.turns.findLast((t) => t.history !== undefined)?.history ?? [];
  }

  async find(id: string): Promise<StoredConversation | undefined> {
    return this.open.get(id) ?? (await this.readClosed(id));
  }

  /** Makes the current conversation, which has no turns yet, one of this folder. */
  moveTo(folder: string): void {
    this.put({ ...this.current, folder });
  }

  /** Shows a new and empty conversation of this folder. */
  showNew(folder: string): Promise<void> {
    return this.show({ ...this.empty(), folder });
  }

  /** Makes a conversation the current one; without one, a new and empty one. */
  async show(next: StoredConversation = this.empty()): Promise<void> {
    this.switchTo(next);
    this.typed = emptyDraft;
    await this.refreshHistory();
    await this.saveWindow();
  }

  /** Adds a turn to the current conversation, which stays open until {@link release}, whatever is shown meanwhile. `folder`: where it works. */
  begin(turn: Turn, folder: string | undefined): StoredConversation {
    const { current } = this;
    const next = {
      ...current,
      ...(folder === undefined ? {} : { folder }),
      title: current.turns.length === 0 ? titleOf(turn.question) : current.title,
      updatedAt: this.deps.clock.now(),
      turns: [...current.turns, { turn }],
    };
    this.busyId = this.put(next);
    return next;
  }

  release(): void {
    if (this.busyId !== undefined && this.busyId !== this.currentId) this.open.delete(this.busyId);
    this.busyId = undefined;
  }

  turn(conversation: string, turnId: string): StoredTurn | undefined {
    return this.open.get(conversation)?.turns.find((t) => t.turn.id === turnId);
  }

  change(conversation: string, turnId: string, next: (turn: StoredTurn) => StoredTurn): void {
    const held = this.open.get(conversation);
    if (held) this.put({ ...held, turns: held.turns.map((t) => (t.turn.id === turnId ? next(t) : t)) });
  }

  async removeLastTurn(): Promise<void> {
    const { id, turns } = this.current;
    const last = turns.at(-1);
    if (!last) return;
    this.put({ ...this.current, turns: turns.slice(0, -1) });
    await this.deps.store.saveHead(this.current);
    await this.deps.store.deleteTurn(id, last.turn.id);
  }

  async delete(id: string): Promise<void> {
    await this.deps.store.delete(id);
    this.all = this.all.filter((h) => h.id !== id);
    if (this.isCurrent(id)) await this.show();
  }

  async refreshHistory(): Promise<void> {
    this.all = await this.deps.store.list();
  }

  async saveDraft(draft: ChatDraft): Promise<void> {
    this.typed = draft;
    await this.saveWindow();
  }

  async saveWindow(): Promise<void> {
    const current = this.current.turns.length > 0 ? { current: this.currentId } : {};
    await this.deps.store.saveState({ ...current, draft: this.typed });
  }

  private async loadStored(): Promise<void> {
    const { store } = this.deps;
    const [state, history] = await Promise.all([store.readState(), store.list()]);
    this.all = history;
    this.typed = state.draft;
    const current = state.current ? await this.readClosed(state.current) : undefined;
    if (current) this.switchTo(current);
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

  private switchTo(next: StoredConversation): void {
    if (this.busyId !== this.currentId) this.open.delete(this.currentId);
    this.currentId = this.put(next);
  }

  private put(conversation: StoredConversation): string {
    this.open.set(conversation.id, conversation);
    return conversation.id;
  }

  private empty(): StoredConversation {
    const now = this.deps.clock.now();
    return { id: this.deps.newId(), title: 'New Chat', createdAt: now, updatedAt: now, turns: [] };
  }
}

const longestTitle = 60;

export function titleOf(question: string): string {
  const line = question.trim().replace(/\s+/g, ' ');
  return line.length <= longestTitle ? line : `${line.slice(0, longestTitle - 1).trimEnd()}…`;
}
