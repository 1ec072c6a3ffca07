import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../base/logger.js';
import type { ChatMessage } from '../../protocol/chat.js';
import type { Attachment, Conversation, ConversationSummary, Turn } from '../../protocol/conversation.js';
import { LatestWriter, readJson, removeLeftovers } from '../storage/atomicFile.js';

/** A turn with what the model remembers after it: the history that the next turn starts with. */
export interface StoredTurn {
  readonly turn: Turn;
  readonly history?: readonly ChatMessage[];
}

export interface StoredConversation extends Omit<Conversation, 'turns'> {
  readonly turns: readonly StoredTurn[];
}

export interface ChatDraft { readonly text: string; readonly attachments: readonly Attachment[] }
export interface ChatWindowState { readonly current?: string; readonly draft: ChatDraft }

interface Head extends Omit<Conversation, 'turns'> { readonly turns: readonly string[] }

/**
 * Conversations of one workspace as files: `<folder>/<conversation>/conversation.json` names the turns, each of which is a
 * file of its own, so that a streaming answer rewrites only itself. Every write is atomic; a file that cannot be read
 * is set aside and the rest stays usable.
 */
export class ConversationStore {
  private readonly writer = new LatestWriter();
  private cleaned: Promise<void> | undefined;

  constructor(private readonly folder: string, private readonly logger: Logger) {}

  /** Newest first. */
  async list(): Promise<ConversationSummary[]> {
    const ids = await this.folders();
    if (ids.length > 0) await (this.cleaned ??= this.clean());
    const heads = await Promise.all(ids.map((id) => this.head(id)));
    return heads
      .filter((head) => head !== undefined)
      .map(({ id, title, updatedAt, turns }) => ({ id, title, updatedAt, turns: turns.length }))
      .sort((a, b) => b.updatedAt - a.updatedAt);
  }

  async read(id: string): Promise<StoredConversation | undefined> {
    const head = await this.head(id);
    if (!head) return undefined;
    const turns = await Promise.all(head.turns.map((turn) => this.readFile(this.turnPath(id, turn), isStoredTurn)));
    return { ...head, turns: turns.filter((turn) => turn !== undefined) };
  }

  async saveHead(conversation: StoredConversation): Promise<void> {
    const head: Head = { ...conversation, turns: conversation.turns.map((t) => t.turn.id) };
    await this.writer.write(this.headPath(conversation.id), () => JSON.stringify(head));
  }

  /** `stored` is asked for the turn when the write begins, so that many calls during a stream cost few writes. */
  async saveTurn(conversation: string, turnId: string, stored: () => StoredTurn): Promise<void> {
    await this.writer.write(this.turnPath(conversation, turnId), () => JSON.stringify(stored()));
  }

  async deleteTurn(conversation: string, turnId: string): Promise<void> {
    await this.writer.idle();
    await rm(this.turnPath(conversation, turnId), { force: true });
  }

  async delete(conversation: string): Promise<void> {
    await this.writer.idle();
    await rm(join(this.folder, safeId(conversation)), { recursive: true, force: true });
  }

  async readState(): Promise<ChatWindowState> {
    return (await this.readFile(this.statePath, isWindowState)) ?? { draft: { text: '', attachments: [] } };
  }

  async saveState(state: ChatWindowState): Promise<void> {
    await this.writer.write(this.statePath, () => JSON.stringify(state));
  }

  /** Resolves when everything asked for is on disk. */
  idle(): Promise<void> {
    return this.writer.idle();
  }

  private get statePath(): string {
    return join(this.folder, 'state.json');
  }

  private headPath(conversation: string): string {
    return join(this.folder, safeId(conversation), 'conversation.json');
  }

  private turnPath(conversation: string, turn: string): string {
    return join(this.folder, safeId(conversation), `${safeId(turn)}.turn.json`);
  }

  private head(id: string): Promise<Head | undefined> {
    return this.readFile(this.headPath(id), isHead);
  }

  private async clean(): Promise<void> {
    try {
      await removeLeftovers(this.folder);
    } catch (error) {
      this.logger.log('warn', 'Half-written chat files could not be removed', { error: String(error) }); // they only take room
    }
  }

  private async folders(): Promise<string[]> {
    try {
      const entries = await readdir(this.folder, { withFileTypes: true });
      return entries.filter((entry) => entry.isDirectory() && idPattern.test(entry.name)).map((entry) => entry.name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  private async readFile<T>(path: string, check: (value: unknown) => value is T): Promise<T | undefined> {
    const read = await readJson(path, check);
    if (read.found) return read.value;
    if (read.setAside) this.logger.log('warn', 'A chat file could not be read and was set aside', { file: read.setAside });
    return undefined;
  }
}

const idPattern = /^[A-Za-z0-9-]{1,64}$/;

/** Ids become file names, and views send ids: nothing else may name a path. */
function safeId(id: string): string {
  if (!idPattern.test(id)) throw new RangeError(`Not an id: ${JSON.stringify(id)}`);
  return id;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const isHead = (value: unknown): value is Head =>
  isObject(value) && typeof value['id'] === 'string' && typeof value['title'] === 'string' && typeof value['createdAt'] === 'number'
  && typeof value['updatedAt'] === 'number' && (value['folder'] === undefined || typeof value['folder'] === 'string') && Array.isArray(value['turns']) && value['turns'].every((t) => typeof t === 'string' && idPattern.test(t));

const isStoredTurn = (value: unknown): value is StoredTurn =>
  isObject(value) && isObject(value['turn']) && typeof value['turn']['id'] === 'string' && typeof value['turn']['question'] === 'string'
  && Array.isArray(value['turn']['attachments']) && Array.isArray(value['turn']['events'])
  && (value['history'] === undefined || Array.isArray(value['history']));

const isWindowState = (value: unknown): value is ChatWindowState =>
  isObject(value) && isObject(value['draft']) && typeof value['draft']['text'] === 'string' && Array.isArray(value['draft']['attachments'])
  && (value['current'] === undefined || (typeof value['current'] === 'string' && idPattern.test(value['current'])));
