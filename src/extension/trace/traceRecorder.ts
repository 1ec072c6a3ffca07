import { Emitter } from '../../base/event.js';
import { LoupeFailure } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import type { Result } from '../../base/result.js';
import type { AgentEvent } from '../../protocol/agentEvents.js';
import type { TraceTurn } from '../../protocol/trace.js';
import type { TraceTurnSummary } from '../../protocol/views.js';

/** Where turns are kept, running ones too. Oldest first. */
export interface TurnTraces {
  record(turnId: string, event: AgentEvent): Promise<Result<null>>;
  /** Stores the turns of windows that died. */
  recover(): Promise<Result<number>>;
  list(): Promise<Result<readonly TraceTurnSummary[]>>;
  read(turnId: string): Promise<Result<TraceTurn | undefined>>;
  all(): Promise<Result<readonly TraceTurn[]>>;
}

export interface TraceRecorderDeps {
  readonly store: TurnTraces;
  readonly fold: (previous: TraceTurn | undefined, event: AgentEvent) => TraceTurn;
  readonly logger: Logger;
}

/** Folds the events of the running turn into its trace and has every event stored. */
export class TraceRecorder {
  private readonly changed = new Emitter<TraceTurn>();
  /** The running turn after each event, and once more when it has ended. */
  readonly onDidChange = this.changed.event;
  private live: TraceTurn | undefined;
  private readonly recovered: Promise<void>;
  private last: Promise<void> = Promise.resolve();

  constructor(private readonly deps: TraceRecorderDeps) {
    this.recovered = this.settle(deps.store.recover());
  }

  record(event: AgentEvent): void {
    const turn = this.deps.fold(event.type === 'turnStarted' ? undefined : this.live, event);
    this.live = turn;
    this.last = this.settle(this.deps.store.record(turn.turnId, event));
    this.changed.fire(turn);
  }

  /** Newest first, the running one included. */
  async turns(): Promise<readonly TraceTurnSummary[]> {
    await this.idle();
    const stored = await this.deps.store.list();
    if (!stored.ok) throw new LoupeFailure(stored.error);
    const turns = stored.value.toReversed();
    const { live } = this;
    if (!live || turns.some((t) => t.turnId === live.turnId)) return turns;
    return [{ turnId: live.turnId, question: live.question, at: live.startedAt }, ...turns];
  }

  async turn(turnId: string): Promise<TraceTurn | undefined> {
    if (this.live?.turnId === turnId) return this.live;
    await this.idle();
    const stored = await this.deps.store.read(turnId);
    if (!stored.ok) throw new LoupeFailure(stored.error);
    return stored.value;
  }

  /** Every stored turn, oldest first. */
  async all(): Promise<readonly TraceTurn[]> {
    await this.idle();
    const stored = await this.deps.store.all();
    if (!stored.ok) throw new LoupeFailure(stored.error);
    return stored.value;
  }

  /** Resolves when everything so far is on disk. */
  async idle(): Promise<void> {
    await this.recovered;
    await this.last;
  }

  /** A trace that cannot be written must not take the answer with it: it is logged, and the turn goes on. */
  private async settle(write: Promise<Result<unknown>>): Promise<void> {
    const result = await write;
    if (!result.ok) this.deps.logger.log('error', 'A trace could not be stored', { error: result.error });
  }
}
