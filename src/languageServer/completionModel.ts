import { type Disposable, DisposableStore } from '../base/disposable.js';
import { makeError, type LoupeError } from '../base/errors.js';
import type { Clock } from '../base/clock.js';
import { Emitter } from '../base/event.js';
import type { Logger } from '../base/logger.js';
import type { Engine } from '../model/engine.js';
import { type FimFormat, fimFormatFor } from '../model/fillInMiddle.js';
import type { InlineStatus } from '../protocol/inline.js';
import type { LoadedModel, LoadParams, RoleState } from '../protocol/sidecar.js';

export interface ReadyModel { readonly loaded: LoadedModel; readonly format: FimFormat }

/** After a failed load the next attempt waits this long: the cause seldom goes away by itself. */
const retryMs = 30_000;
/** After one that went down with its process: the next process is on its way, and a file that is to blame is kept out of it. */
const crashedMs = 2_000;
/** A load that another client asked for and that has said nothing for so long went down with its sidecar. */
const silentMs = 30_000;

/**
 * The model of the completion role: asks the engine to load it when suggestions are first wanted, follows what any client of
 * the shared sidecar does to the role, and says what the user should know about it. Suggestions themselves fail silently.
 */
export class CompletionModel implements Disposable {
  private readonly store = new DisposableStore();
  private readonly statusEmitter = this.store.add(new Emitter<InlineStatus>());
  readonly onStatus = this.statusEmitter.event;
  /** Undefined before the first configuration. */
  private wanted: LoadParams | null | undefined;
  private current: ReadyModel | undefined;
  /** A load that this client asked for is under way. */
  private loading = false;
  /** When the role last said that it loads, whoever asked. */
  private announcedAt: number | undefined;
  private retryAt: number | undefined;
  private lastStatus = '';

  constructor(private readonly engine: Engine, private readonly clock: Clock, private readonly logger: Logger) {
    this.store.add(engine.onRoleState(({ role, state }) => {
      if (role === 'completion') this.follow(state);
    }));
  }

  /** The model that answers now; undefined while there is none. */
  get ready(): ReadyModel | undefined {
    return this.current;
  }

  /** The model that answers now or when a load that is under way ends; undefined when there is none to wait for, or on abort. */
  async whenReady(signal: AbortSignal): Promise<ReadyModel | undefined> {
    if (this.current !== undefined || signal.aborted || !(this.loading || this.announced)) return this.current;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        subscription.dispose();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const subscription = this.onStatus(({ state }) => {
        if (state === 'ready' || state === 'unavailable') end();
      });
      signal.addEventListener('abort', end, { once: true });
    });
    return this.current;
  }

  configure(wanted: LoadParams | null): void {
    if (JSON.stringify(wanted) === JSON.stringify(this.wanted)) return;
    this.wanted = wanted;
    this.retryAt = undefined;
    this.current = undefined;
    if (wanted === null) this.report({ state: 'unavailable', error: noModel });
    else this.report({ state: 'starting' });
  }

  /** Starts loading where that makes sense; returns at once. */
  prepare(): void {
    const { wanted } = this;
    if (!wanted || this.store.isDisposed || this.loading || this.announced || this.current !== undefined) return;
    if (this.retryAt !== undefined && this.clock.monotonic() < this.retryAt) return;
    this.loading = true;
    void this.load(wanted).finally(() => {
      this.loading = false;
      if (wanted !== this.wanted) this.prepare();
    });
  }

  dispose(): void {
    this.store.dispose();
  }

  private async load(wanted: LoadParams): Promise<void> {
    this.report({ state: 'loading', fraction: 0 });
    const loaded = await this.engine.load(wanted);
    if (this.store.isDisposed || wanted !== this.wanted) return;
    if (loaded.ok) return this.use(loaded.value);
    this.announcedAt = undefined;
    this.fail(loaded.error);
  }

  private follow(state: RoleState): void {
    this.announcedAt = state.state === 'loading' ? this.clock.monotonic() : undefined;
    switch (state.state) {
      case 'ready':
        this.use(state.model);
        break;
      case 'loading':
        this.current = undefined;
        this.report({ state: 'loading', fraction: state.fraction });
        break;
      case 'failed':
        this.fail(state.error);
        break;
      case 'empty':
        this.current = undefined;
        break;
    }
  }

  private use(loaded: LoadedModel): void {
    const format = loaded.fillInMiddle ? fimFormatFor(loaded) : undefined;
    this.retryAt = undefined;
    if (format === undefined) {
      this.current = undefined;
      this.retryAt = Infinity;
      this.report({ state: 'unavailable', error: noFillInMiddle(loaded.name) });
      return;
    }
    this.current = { loaded, format };
    this.report({ state: 'ready', model: loaded.name });
  }

  private fail(error: LoupeError): void {
    if (error.code === 'cancelled') return;
    this.current = undefined;
    this.retryAt = this.clock.monotonic() + (error.code === 'sidecar.crashed' ? crashedMs : retryMs);
    this.logger.log('warn', 'The completion model is not available', { code: error.code, message: error.message });
    this.report({ state: 'unavailable', error });
  }

  private get announced(): boolean {
    return this.announcedAt !== undefined && this.clock.monotonic() - this.announcedAt < silentMs;
  }

  private report(status: InlineStatus): void {
    const key = JSON.stringify(status);
    if (key === this.lastStatus) return;
    this.lastStatus = key;
    this.statusEmitter.fire(status);
  }
}

const noModel = makeError('model.none', 'No model for inline suggestions is installed.', 'Run "Loupe: Choose Model" to download one or choose a GGUF file.');

const noFillInMiddle = (name: string): LoupeError => makeError(
  'model.noFillInMiddle',
  `${name} cannot fill in the middle, so there are no inline suggestions.`,
  'Choose a completion model that can, for example Qwen2.5-Coder 0.5B, with the setting loupe.model.completion.',
);
