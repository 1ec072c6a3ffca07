import type { Logger } from '../../base/logger.js';
import type { TurnMemory } from '../../agent/turn.js';
import type { ChatModel } from '../../model/chatModel.js';
import type { RepositoryIndexClient } from './contextClient.js';
import { memoryBudget } from './memoryBudget.js';
import { fileURLToPath } from 'node:url';
import { turnMemory, type Warm } from './rememberOnce.js';

/** Which blocks a conversation has, as it is stored: enough to find them again in the kept plan, and to know that they are the same. */
export interface MemoryOfConversation { readonly budget: number; readonly chain: string; readonly tokens: number }

export interface ConversationMemoryDeps {
  readonly warmFor: (folder: string, model: ChatModel) => Warm | undefined;
  readonly plan: RepositoryIndexClient['plan'];
  /** Keeps, over reloads, what each conversation has; by its id. */
  readonly store: { get(): Readonly<Record<string, MemoryOfConversation>>; set(all: Readonly<Record<string, MemoryOfConversation>>): Thenable<void> | Promise<void> };
  readonly logger: Logger;
}

export interface AskingConversation {
  readonly id: string;
  /** URI of the folder that it works in. */
  readonly folder?: string;
  /** It has had an answer: what its prompts begin with is settled. */
  readonly begun: boolean;
}

interface Chosen { readonly memory: TurnMemory; readonly tokens: number }

/** Conversations whose blocks are known over reloads. */
const mostStored = 200;
/** How long a question waits for the kept plan after a reload. */
const patienceMs = 3_000;

/**
 * Decides which memory a conversation has: that of its folder, if it was warm when the first question came, and the very same blocks in all later turns, so
 * that its prompts only grow. A conversation that began without goes on without.
 */
export class ConversationMemory {
  private readonly chosen = new Map<string, Chosen | 'none'>();

  constructor(private readonly deps: ConversationMemoryDeps) {}

  /** Never rejects: a conversation without memory is as good as any. */
  async memoryOf({ id, folder, begun }: AskingConversation, model: ChatModel, signal: AbortSignal): Promise<TurnMemory | undefined> {
    if (model.info.kind !== 'local' || folder === undefined) return undefined;
    let has = begun ? this.chosen.get(id) : this.choose(id, folder, model);
    if (has === undefined) {
      has = await this.takeUp(id, folder, signal);
      this.chosen.set(id, has);
    }
    // Another model may have a smaller context: there the conversation is read anew anyway.
    if (has === 'none' || has.tokens > memoryBudget(model.info.contextSize, Infinity)) return undefined;
    return has.memory;
  }

  /** What {@link memoryOf} would say if the question came now; settles nothing. For what is done before the user asks. */
  async upcoming(conversation: AskingConversation, model: ChatModel, signal: AbortSignal): Promise<TurnMemory | undefined> {
    if (conversation.begun) return this.memoryOf(conversation, model, signal);
    return conversation.folder === undefined ? undefined : this.deps.warmFor(conversation.folder, model)?.memory;
  }

  private choose(id: string, folder: string, model: ChatModel): Chosen | 'none' {
    const warm = this.deps.warmFor(folder, model);
    const has: Chosen | 'none' = warm === undefined ? 'none' : { memory: warm.memory, tokens: warm.blockTokens };
    this.chosen.set(id, has);
    const { [id]: before, ...others } = this.deps.store.get();
    if (warm !== undefined) this.save({ ...Object.fromEntries(Object.entries(others).slice(1 - mostStored)), [id]: { budget: warm.budget, chain: warm.chain, tokens: warm.blockTokens } });
    else if (before !== undefined) this.save(others);
    return has;
  }

  /** After a reload: the kept plan may have more notes by now, behind the blocks that the conversation has. */
  private async takeUp(id: string, folder: string, signal: AbortSignal): Promise<Chosen | 'none'> {
    const had = this.deps.store.get()[id];
    if (had === undefined) return 'none';
    const patient = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
    const plan = await this.deps.plan({ folder: fileURLToPath(folder), role: 'chat', budget: had.budget, keep: true }, patient);
    const end = plan.ok ? plan.value.blocks.findIndex(({ chain }) => chain === had.chain) : -1;
    if (!plan.ok || end === -1) {
      this.deps.logger.log('info', 'A stored conversation goes on without the memory of its repository', { why: plan.ok ? 'the plan is another one' : plan.error.message });
      return 'none';
    }
    return { memory: turnMemory({ mode: plan.value.mode, blocks: plan.value.blocks.slice(0, end + 1) }), tokens: had.tokens };
  }

  private save(all: Readonly<Record<string, MemoryOfConversation>>): void {
    void Promise.resolve(this.deps.store.set(all)).catch((thrown: unknown) => this.deps.logger.log('warn', 'Which memory a conversation has could not be stored', { error: String(thrown) }));
  }
}
