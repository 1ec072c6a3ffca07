import * as vscode from 'vscode';
import {
  CloseAction, ErrorAction, LanguageClient, type LanguageClientOptions, RevealOutputChannelOn, type ServerOptions, State, TransportKind,
} from 'vscode-languageclient/node';
import type { Clock } from '../../base/clock.js';
import { type LoupeError, makeError, messageOf } from '../../base/errors.js';
import { Emitter } from '../../base/event.js';
import { err, type Result } from '../../base/result.js';
import { type ContextInitialization, contextNotifications, type IndexState } from '../../protocol/context.js';
import {
  type InlineConfiguration, type InlineInitialization, type InlineMeasurement, inlineNotifications, type InlineStatus,
} from '../../protocol/inline.js';
import type { RequestType } from '../../protocol/sidecar.js';
import type { ContextServer } from '../memory/contextClient.js';
import type { InlineServer } from './inlineController.js';
import { RestartPolicy } from './restartPolicy.js';

export interface InlineClientDeps {
  /** Path of the language server's bundle. */
  readonly serverModule: string;
  readonly sidecar: InlineInitialization['sidecar'];
  /** Where the repository index finds its grammars and keeps its results. */
  readonly context: ContextInitialization;
  readonly channel: vscode.LogOutputChannel;
  readonly clock: Clock;
  readonly onStatus: (status: InlineStatus) => void;
  readonly onMeasured: (measurement: InlineMeasurement) => void;
  /** Called with every list of suggestions before VS Code gets it. */
  readonly onOffered: (document: vscode.TextDocument, items: readonly vscode.InlineCompletionItem[]) => void;
}

const documentSelector = ['file', 'untitled', 'vscode-notebook-cell', 'vscode-vfs'].map((scheme) => ({ scheme }));
const stopMs = 2000;

/** The language server process behind a language client: it gives suggestions where it has a model, and keeps the index of the repository. */
export class InlineClient implements InlineServer, ContextServer {
  private client: LanguageClient | undefined;
  private configuration: InlineConfiguration | undefined;
  private readonly restarts = new RestartPolicy();
  private readonly startedEmitter = new Emitter<void>();
  private readonly indexEmitter = new Emitter<{ readonly folder: string } & IndexState>();
  private readonly filesEmitter = new Emitter<readonly string[]>();
  readonly onStarted = this.startedEmitter.event;
  readonly onIndexState = this.indexEmitter.event;
  readonly onFilesChanged = this.filesEmitter.event;
  private stoppedBy: LoupeError | undefined;

  constructor(private readonly deps: InlineClientDeps) {}

  async run(configuration: InlineConfiguration): Promise<void> {
    this.configuration = configuration;
    if (this.restarts.isWaiting) return; // it starts with the newest configuration
    if (this.client?.isRunning() === true) {
      await this.client.sendNotification(inlineNotifications.configuration.method, configuration);
      return;
    }
    await this.stop();
    this.restarts.reset();
    this.stoppedBy = undefined;
    this.showStatus({ state: 'starting' });
    this.client = this.createClient();
    await this.client.start();
  }

  async request<P, R>({ method }: RequestType<P, Result<R>>, params: P, signal: AbortSignal): Promise<Result<R>> {
    const { client } = this;
    if (client?.isRunning() !== true || this.restarts.isWaiting) return err(this.stoppedBy ?? notRunning);
    const source = new vscode.CancellationTokenSource();
    const cancel = (): void => source.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) cancel();
    try {
      return await client.sendRequest<Result<R>>(method, params, source.token);
    } catch (thrown) {
      if (signal.aborted) return err(makeError('cancelled', 'Cancelled.', 'Ask again when you are ready.'));
      return err({ ...(this.stoppedBy ?? notRunning), cause: messageOf(thrown) });
    } finally {
      signal.removeEventListener('abort', cancel);
      source.dispose();
    }
  }

  async stop(): Promise<void> {
    const { client } = this;
    this.client = undefined;
    // While a restart waits the client takes itself for running, but there is no process to say goodbye to.
    if (this.restarts.isWaiting) this.restarts.callOff();
    else if (client !== undefined) await client.dispose(stopMs);
  }

  private createClient(): LanguageClient {
    const server = { module: this.deps.serverModule, transport: TransportKind.stdio };
    const serverOptions: ServerOptions = { run: server, debug: server };
    const options: LanguageClientOptions = {
      documentSelector,
      outputChannel: this.deps.channel,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      initializationOptions: (): InlineInitialization | undefined =>
        this.configuration && { sidecar: this.deps.sidecar, configuration: this.configuration, context: this.deps.context },
      initializationFailedHandler: () => false,
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => this.closed(),
      },
      middleware: {
        workspace: {
          didChangeWatchedFile: async (event, next) => {
            this.filesEmitter.fire([event.uri]);
            await next(event);
          },
        },
        provideInlineCompletionItems: async (document, position, context, token, next) => {
          const result = await next(document, position, context, token);
          if (result) this.deps.onOffered(document, Array.isArray(result) ? result : result.items);
          return result;
        },
      },
    };
    const client = new LanguageClient('loupe.inline', 'Loupe Inline Suggestions', serverOptions, options);
    client.onNotification(inlineNotifications.status.method, (status: InlineStatus) => this.showStatus(status));
    client.onNotification(contextNotifications.status.method, (state: { readonly folder: string } & IndexState) => this.indexEmitter.fire(state));
    client.onDidChangeState(({ newState }) => {
      if (newState === State.Running) this.startedEmitter.fire();
    });
    client.onNotification(inlineNotifications.measured.method, (measurement: InlineMeasurement) => this.deps.onMeasured(measurement));
    return client;
  }

  /** Without a model the server runs for the index: what it says of suggestions is what it was told. */
  private showStatus(status: InlineStatus): void {
    if (this.configuration !== undefined && this.configuration.model !== null) this.deps.onStatus(status);
  }

  private async closed(): Promise<{ action: CloseAction; handled: boolean }> {
    const delay = this.restarts.crashed(this.deps.clock.monotonic());
    if (delay === undefined) {
      this.stoppedBy = crashing;
      this.showStatus({ state: 'unavailable', error: crashing });
      return { action: CloseAction.DoNotRestart, handled: true };
    }
    this.showStatus({ state: 'starting' });
    return { action: await this.restarts.wait(delay) ? CloseAction.Restart : CloseAction.DoNotRestart, handled: true };
  }
}

const crashing = makeError(
  'sidecar.crashLoop', 'The process for inline suggestions and the repository index crashed five times in three minutes and stays off.',
  'Look into the Loupe log, then reload the window.',
);

const notRunning = makeError('memory.indexStopped', 'The process that indexes the repository does not run.', 'Loupe goes on when it runs again; if it does not, reload the window.');
