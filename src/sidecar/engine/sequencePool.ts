import type { Clock } from '../../base/clock.js';
import type { SequenceState } from './sequenceState.js';

/** Time after which a conversation counts as left, so that a new one may take over a prefix that both share. */
const leftAfterMs = 30_000;

interface Waiter { readonly conversation: string; readonly prompt: readonly number[]; readonly grant: (state: SequenceState) => void }

/** Gives each conversation a sequence: its own as long as possible, else an empty one, else the least recently used. */
export class SequencePool {
  private readonly busy = new Set<SequenceState>();
  private waiters: Waiter[] = [];

  constructor(private readonly states: readonly SequenceState[], private readonly clock: Clock) {}

  get all(): readonly SequenceState[] {
    return this.states;
  }

  /** Waits for a sequence. Rejects with the signal's reason when it is aborted first. */
  take(conversation: string, prompt: readonly number[], signal: AbortSignal): Promise<SequenceState> {
    signal.throwIfAborted();
    const free = this.choose(conversation, prompt);
    if (free) return Promise.resolve(this.give(free, conversation));
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        conversation, prompt,
        grant: (state) => {
          signal.removeEventListener('abort', abort);
          resolve(state);
        },
      };
      const abort = (): void => {
        this.waiters = this.waiters.filter((other) => other !== waiter);
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', abort, { once: true });
      this.waiters.push(waiter);
    });
  }

  /** A sequence for work that nobody waits for: at once or not at all, and never one that another conversation used just now. */
  takeIdle(conversation: string, prompt: readonly number[]): SequenceState | undefined {
    const free = this.waiters.length > 0 ? undefined : this.choose(conversation, prompt);
    const own = free?.conversation === undefined || free.conversation === conversation;
    return free && (own || this.isLeft(free)) ? this.give(free, conversation) : undefined;
  }

  /** Whether somebody waits who would get this sequence. */
  isWanted(state: SequenceState): boolean {
    return this.waiters.some(({ conversation }) => !this.states.some((other) => other !== state && other.conversation === conversation));
  }

  release(state: SequenceState): void {
    state.lastUsed = this.clock.monotonic();
    this.busy.delete(state);
    for (const waiter of this.waiters) {
      const free = this.choose(waiter.conversation, waiter.prompt);
      if (!free) continue;
      this.waiters = this.waiters.filter((other) => other !== waiter);
      waiter.grant(this.give(free, waiter.conversation));
      return;
    }
  }

  private give(state: SequenceState, conversation: string): SequenceState {
    this.busy.add(state);
    state.conversation = conversation;
    return state;
  }

  private choose(conversation: string, prompt: readonly number[]): SequenceState | undefined {
    const own = this.states.find((state) => state.conversation === conversation);
    if (own) return this.busy.has(own) ? undefined : own;
    const free = this.states.filter((state) => !this.busy.has(state));
    const left = free.filter((state) => this.isLeft(state) && state.sharedWith(prompt) * 2 >= prompt.length);
    return left[0] ?? unowned(free, prompt) ?? free.sort((a, b) => a.lastUsed - b.lastUsed)[0];
  }

  private isLeft(state: SequenceState): boolean {
    return this.clock.monotonic() - state.lastUsed > leftAfterMs;
  }
}

/** Of the sequences without a conversation the one that holds most of the prompt; where none holds half of it, the one with the least to lose. */
function unowned(free: readonly SequenceState[], prompt: readonly number[]): SequenceState | undefined {
  const none = free.filter((state) => state.conversation === undefined).map((state) => ({ state, shared: state.sharedWith(prompt), held: state.tokens.length }));
  const best = [...none].sort((a, b) => b.shared - a.shared)[0];
  if (best !== undefined && best.shared * 2 >= prompt.length) return best.state;
  return none.sort((a, b) => a.held - b.held)[0]?.state;
}
