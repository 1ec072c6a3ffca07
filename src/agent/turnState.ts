import type { Disposable } from '../base/disposable.js';
import type { AgentEvent, Gate, Spent } from '../protocol/agentEvents.js';
import type { ChatMessage, GenerationStats, ToolCall } from '../protocol/chat.js';
import { condense, type Window } from './condense.js';
import { orAbort } from './abort.js';
import { tokensOf } from './gates.js';
import type { CallRecord } from './notes.js';
import type { SystemMessage } from './prompt.js';
import { Stopwatch } from './stopwatch.js';
import { systemTimers, type Timers } from './timers.js';
import type { JudgedCall, TurnDeps, TurnInput } from './turn.js';

/** Tokens of the context kept free for an answer, at most; a quarter of a small context. */
const answerReserve = 1_024;

/** Tokens that a prompt may have in a context of this size; a longer one is condensed. */
export const promptLimit = (contextSize: number): number => contextSize - Math.min(answerReserve, Math.floor(contextSize / 4));

export interface Prompt { readonly messages: readonly ChatMessage[]; readonly tokens: number; readonly fits: boolean }

/** What one turn knows while it runs: messages, what was spent, and the signal that ends it. */
export class TurnState implements Disposable {
  hop = 0;
  last: GenerationStats | undefined;
  readonly records: (CallRecord & JudgedCall & { readonly inconclusive?: boolean; readonly onlyNames?: boolean })[] = [];
  readonly texts: string[] = [];
  readonly timers: Timers;
  readonly stopwatch: Stopwatch;
  /** Aborted by the user, by the wall clock, or because nobody listens any more. */
  readonly signal: AbortSignal;
  private readonly own = new AbortController();
  private readonly startedMs: number;
  private readonly usedIds = new Set<string>();
  private tokens = 0;

  constructor(private readonly deps: TurnDeps, input: Pick<TurnInput, 'budget'>, private window: Window, private readonly user: AbortSignal) {
    this.timers = deps.timers ?? systemTimers;
    this.startedMs = deps.clock.monotonic();
    this.signal = AbortSignal.any([user, this.own.signal]);
    this.stopwatch = new Stopwatch(deps.clock, this.timers, input.budget.wallMs, () => this.own.abort());
    for (const message of window.messages) if (message.role === 'assistant') message.toolCalls?.forEach(({ id }) => this.usedIds.add(id));
  }

  /** Milliseconds since the turn began, to the microsecond, so that exported times compare equal when read back. */
  atMs = (): number => Math.max(0, Math.round((this.deps.clock.monotonic() - this.startedMs) * 1000) / 1000);

  spent(): Spent {
    return { steps: this.hop, tokens: this.tokens, wallMs: this.stopwatch.elapsedMs() };
  }

  spend(stats: GenerationStats): void {
    this.tokens += tokensOf(stats);
    this.last = stats;
  }

  /** Appends; a user message after a user message continues it, since many chat templates insist on alternating roles. */
  add(message: ChatMessage): void {
    const { messages } = this.window;
    const last = messages.at(-1);
    const merged = last?.role === 'user' && message.role === 'user'
      ? messages.with(-1, { ...last, content: `${last.content}\n\n${message.content}` })
      : [...messages, message];
    this.window = { ...this.window, messages: merged };
  }

  claimId = (id: string): string => {
    const unique = id !== '' && !this.usedIds.has(id) ? id : this.deps.newId();
    this.usedIds.add(unique);
    return unique;
  };

  /** Which gate the aborted signal means. */
  stoppedBy(): Gate {
    return this.user.aborted ? 'cancelled' : 'wallClock';
  }

  /** The prompt of the next hop, condensed where it has to be. */
  async prompt(head: SystemMessage, request: Parameters<TurnDeps['model']['countPromptTokens']>[0]): Promise<Prompt & { event: CondensedEvent | undefined }> {
    const count = (messages: readonly ChatMessage[]): Promise<number> =>
      orAbort(this.deps.model.countPromptTokens({ ...request, messages: [head, ...messages] }, this.signal), this.signal);
    const condensed = await condense(this.window, promptLimit(this.deps.model.info.contextSize), count);
    this.window = condensed;
    const { results, tokensBefore, tokensAfter, fits } = condensed;
    return {
      messages: [head, ...condensed.messages], tokens: tokensAfter, fits,
      event: results > 0 ? { type: 'condensed', hop: this.hop + 1, atMs: this.atMs(), results, tokensBefore, tokensAfter } : undefined,
    };
  }

  /** Messages for the next turn: every call has its result and the turn ends with the assistant, as chat formats demand. */
  history(gate: Gate, text: string): readonly ChatMessage[] {
    const messages = [...this.window.messages];
    const last = messages.at(-1);
    const answered = last?.role === 'assistant' && (last.toolCalls?.length ?? 0) === 0;
    if (!answered) messages.push({ role: 'assistant', content: text === '' ? `[No answer: ${gate}.]` : text });
    return messages;
  }

  dispose(): void {
    this.stopwatch.dispose();
    this.own.abort();
  }
}

export type CondensedEvent = Extract<AgentEvent, { type: 'condensed' }>;

export function toolMessage(call: ToolCall, content: string): ChatMessage {
  return { role: 'tool', callId: call.id, name: call.name, content };
}
