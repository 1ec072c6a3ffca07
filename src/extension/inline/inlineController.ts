import { type Disposable, DisposableStore } from '../../base/disposable.js';
import { makeError, messageOf } from '../../base/errors.js';
import type { Event } from '../../base/event.js';
import type { Logger } from '../../base/logger.js';
import type { Result } from '../../base/result.js';
import type { InlineConfiguration, InlineStatus } from '../../protocol/inline.js';
import type { SettingKey, SettingValue } from '../../protocol/settings.js';
import type { LoadParams } from '../../protocol/sidecar.js';
import type { Trust } from '../trust.js';

/** The language server, as the controller drives it. */
export interface InlineServer {
  /** Starts the process, or gives a running one the new configuration. */
  run(configuration: InlineConfiguration): Promise<void>;
  stop(): Promise<void>;
}

export interface InlineControllerDeps {
  readonly trust: Trust;
  readonly settings: {
    get<K extends SettingKey>(key: K): SettingValue<K>;
    readonly onDidChange: Event<ReadonlySet<SettingKey>>;
  };
  /** What to load for the completion role, by settings, installed models and machine; an error when there is nothing. */
  readonly completionModel: (onCheck: (fraction: number) => void, signal: AbortSignal) => Promise<Result<LoadParams>>;
  /** A model was installed or chosen. */
  readonly onDidChangeModels: Event<void>;
  readonly server: InlineServer;
  readonly logger: Logger;
  readonly onStatus: (status: InlineStatus) => void;
}

const relevant = /^loupe\.(?:inline|model|kv)\.|^loupe\.memory\.enabled$/u;

/**
 * Decides whether the language server runs and with which model: not in an untrusted workspace, and only for suggestions, which need a model, or for
 * the memory of the repository and questions about it, which need none of their own. Changes are applied one after the other; only the newest state counts.
 */
export class InlineController implements Disposable {
  private readonly disposables = new DisposableStore();
  private work: Promise<void> = Promise.resolve();
  /** Ends the check of a file that a newer state may not need. */
  private superseded = new AbortController();
  /** The server was started, with a model or without. */
  private running = false;
  /** Somebody has asked the index something: it stays for the window's life. */
  private indexAsked = false;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly deps: InlineControllerDeps) {
    this.disposables.add(deps.trust.onGranted(() => this.refresh()));
    this.disposables.add(deps.onDidChangeModels(() => this.refresh()));
    this.disposables.add(deps.settings.onDidChange((keys) => {
      if ([...keys].some((key) => relevant.test(key))) this.refresh();
    }));
  }

  /** Brings the server to what settings, trust and models ask for. */
  refresh(): void {
    this.superseded.abort();
    const { signal } = (this.superseded = new AbortController());
    this.work = this.work.then(() => this.apply(signal));
  }

  /** Resolves when the server runs for the index, or cannot: who asks it something is told why. */
  async needIndex(): Promise<void> {
    if (!this.indexAsked) {
      this.indexAsked = true;
      if (!this.running) this.refresh();
    }
    if (this.running) return;
    // Not until the file of the suggestions' model is checked, which takes long the first time.
    await Promise.race([this.settled(), new Promise<void>((resolve) => { this.waiting.push(resolve); })]);
  }

  /** Resolves when all changes so far are applied. */
  settled(): Promise<void> {
    return this.work;
  }

  dispose(): void {
    this.superseded.abort();
    this.disposables.dispose();
    this.work = this.work.then(() => this.stop());
  }

  private async apply(signal: AbortSignal): Promise<void> {
    if (this.disposables.isDisposed || signal.aborted) return; // the newer state is next
    const { onStatus } = this.deps;
    try {
      const wanted = await this.wanted(signal);
      if (signal.aborted) return;
      if (!('state' in wanted)) {
        await this.run(wanted);
        return;
      }
      if (this.indexes) await this.run(this.configuration(null));
      else await this.stop();
      onStatus(wanted);
    } catch (error) {
      this.deps.logger.log('error', 'Inline suggestions did not start', { cause: messageOf(error) });
      onStatus({ state: 'unavailable', error: makeError('internal', 'Inline suggestions did not start.', 'Reload the window; if it happens again, look into the Loupe log.', error) });
    }
  }

  /** What the server is to run with, or the state without suggestions. */
  private async wanted(signal: AbortSignal): Promise<InlineConfiguration | InlineStatus> {
    const { trust, settings } = this.deps;
    if (!trust.granted) return { state: 'untrusted' };
    if (!settings.get('loupe.inline.enabled')) return { state: 'off' };
    let started: Promise<void> | undefined;
    const model = await this.deps.completionModel((fraction) => {
      if (signal.aborted) return;
      // The first check of a file takes long, and the index does not depend on it.
      if (this.indexes && !this.running) started ??= this.run(this.configuration(null));
      this.deps.onStatus({ state: 'checking', fraction });
    }, signal);
    await started;
    if (!model.ok) return { state: 'unavailable', error: model.error };
    return this.configuration(model.value);
  }

  /** Whether the server is wanted without suggestions, too. */
  private get indexes(): boolean {
    return this.deps.trust.granted && (this.indexAsked || this.deps.settings.get('loupe.memory.enabled'));
  }

  private configuration(model: LoadParams | null): InlineConfiguration {
    const { settings } = this.deps;
    return { languages: { ...settings.get('loupe.inline.languages') }, maxTokens: settings.get('loupe.inline.maxTokens'), model };
  }

  private async run(configuration: InlineConfiguration): Promise<void> {
    await this.deps.server.run(configuration);
    this.running = true;
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  private async stop(): Promise<void> {
    this.running = false;
    try {
      await this.deps.server.stop();
    } catch (error) {
      this.deps.logger.log('warn', 'The language server did not stop in order', { cause: messageOf(error) });
    }
  }
}
