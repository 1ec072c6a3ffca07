import * as vscode from 'vscode';
import {
  CloseAction, ErrorAction, LanguageClient, type LanguageClientOptions, RevealOutputChannelOn, type ServerOptions, TransportKind,
} from 'vscode-languageclient/node';
import type { Clock } from '../../base/clock.js';
import { makeError } from '../../base/errors.js';
import {
  type InlineConfiguration, type InlineInitialization, type InlineMeasurement, inlineNotifications, type InlineStatus,
} from '../../protocol/inline.js';
import type { InlineServer } from './inlineController.js';
import { RestartPolicy } from './restartPolicy.js';

export interface InlineClientDeps {
  /** Path of the language server's bundle. */
  readonly serverModule: string;
  readonly sidecar: InlineInitialization['sidecar'];
  readonly channel: vscode.LogOutputChannel;
  readonly clock: Clock;
  readonly onStatus: (status: InlineStatus) => void;
  readonly onMeasured: (measurement: InlineMeasurement) => void;
  /** Called with every list of suggestions before VS Code gets it. */
  readonly onOffered: (document: vscode.TextDocument, items: readonly vscode.InlineCompletionItem[]) => void;
}

const documentSelector = ['file', 'untitled', 'vscode-notebook-cell', 'vscode-vfs'].map((scheme) => ({ scheme }));
const stopMs = 2000;

/** The language server process behind a language client. */
export class InlineClient implements InlineServer {
  private client: LanguageClient | undefined;
  private configuration: InlineConfiguration | undefined;
  private readonly restarts = new RestartPolicy();

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
    this.deps.onStatus({ state: 'starting' });
    this.client = this.createClient();
    await this.client.start();
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
        this.configuration && { sidecar: this.deps.sidecar, configuration: this.configuration },
      initializationFailedHandler: () => false,
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => this.closed(),
      },
      middleware: {
        provideInlineCompletionItems: async (document, position, context, token, next) => {
          const result = await next(document, position, context, token);
          if (result) this.deps.onOffered(document, Array.isArray(result) ? result : result.items);
          return result;
        },
      },
    };
    const client = new LanguageClient('loupe.inline', 'Loupe Inline Suggestions', serverOptions, options);
    client.onNotification(inlineNotifications.status.method, (status: InlineStatus) => this.deps.onStatus(status));
    client.onNotification(inlineNotifications.measured.method, (measurement: InlineMeasurement) => this.deps.onMeasured(measurement));
    return client;
  }

  private async closed(): Promise<{ action: CloseAction; handled: boolean }> {
    const delay = this.restarts.crashed(this.deps.clock.monotonic());
    if (delay === undefined) {
      this.deps.onStatus({ state: 'unavailable', error: crashing });
      return { action: CloseAction.DoNotRestart, handled: true };
    }
    this.deps.onStatus({ state: 'starting' });
    return { action: await this.restarts.wait(delay) ? CloseAction.Restart : CloseAction.DoNotRestart, handled: true };
  }
}

const crashing = makeError(
  'sidecar.crashLoop', 'The process for inline suggestions crashed five times in three minutes and stays off.',
  'Look into the Loupe log, then switch inline suggestions off and on again.',
);
