import { spawn } from 'node:child_process';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import {
  type CancellationToken, CancellationTokenSource, createConnection, createProtocolConnection, type InlineCompletionItem, InlineCompletionRequest, InlineCompletionTriggerKind, type ProtocolConnection, type SelectedCompletionInfo,
  StreamMessageReader, StreamMessageWriter,
} from 'vscode-languageserver/node';
import { systemClock } from '../../../src/base/clock.js';
import { type Disposable, toDisposable } from '../../../src/base/disposable.js';
import { silentLogger } from '../../../src/base/logger.js';
import { serve, type ServerPorts } from '../../../src/languageServer/server.js';
import type { Engine } from '../../../src/model/engine.js';
import { type InlineConfiguration, type InlineInitialization, type InlineMeasurement, inlineNotifications, type InlineStatus } from '../../../src/protocol/inline.js';
import { at } from './at.js';

export const configuration: InlineConfiguration = {
  languages: { '*': true, markdown: false }, maxTokens: 64,
  model: { role: 'completion', modelPath: '/models/qwen2.5-coder.gguf', contextSize: 4096, kvPreset: 'exact', threads: 'auto', gpu: 'off' },
};

const noSidecar = { entry: '', execPath: '', stateDir: '', build: 'test' };

export interface EditorOptions {
  readonly configuration?: InlineConfiguration;
  /** With it the server keeps an index. */
  readonly createIndex?: ServerPorts['createIndex'];
  /** URI of the workspace folder. */
  readonly folder?: string;
}

const noIndex = (): never => {
  throw new Error('This test has no index.');
};

/** An editor that talks LSP to the real server. */
export class Editor implements Disposable {
  readonly statuses: InlineStatus[] = [];
  readonly measurements: InlineMeasurement[] = [];
  private readonly versions = new Map<string, number>();
  private readonly statusListeners = new Set<() => void>();

  private constructor(private readonly connection: ProtocolConnection, private readonly server: Disposable) {
    connection.onNotification(inlineNotifications.status.method, (status: InlineStatus) => {
      this.statuses.push(status);
      for (const listener of this.statusListeners) listener();
    });
    connection.onNotification(inlineNotifications.measured.method, (measurement: InlineMeasurement) => void this.measurements.push(measurement));
  }

  /** With the server in this process. */
  static async start(engine: Engine & Disposable, options: EditorOptions = {}): Promise<Editor> {
    const up = new PassThrough();
    const down = new PassThrough();
    const serverConnection = createConnection(new StreamMessageReader(up), new StreamMessageWriter(down));
    const served = serve(serverConnection, { createEngine: () => engine, createIndex: options.createIndex ?? noIndex, clock: systemClock, logger: silentLogger });
    serverConnection.listen();
    const server = toDisposable(() => {
      served.dispose();
      serverConnection.dispose();
    });
    return await Editor.initialized(down, up, server, {
      sidecar: noSidecar, configuration: options.configuration ?? configuration, ...(options.createIndex === undefined ? {} : { context: { grammars: '', storage: '' } }),
    }, options.folder);
  }

  /** With the server in a process of its own, as in the product. `entry` is its compiled or bundled main. */
  static async spawn(entry: string, initialization: InlineInitialization, folder?: string): Promise<Editor> {
    const child = spawn(process.execPath, [entry, '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
    return await Editor.initialized(child.stdout, child.stdin, toDisposable(() => child.kill()), initialization, folder);
  }

  private static async initialized(from: Readable, to: Writable, server: Disposable, initializationOptions: InlineInitialization, folder = 'file:///repo'): Promise<Editor> {
    const client = createProtocolConnection(new StreamMessageReader(from), new StreamMessageWriter(to));
    const editor = new Editor(client, server);
    client.listen();
    await client.sendRequest('initialize', {
      processId: null, rootUri: null, capabilities: { workspace: { workspaceFolders: true } }, workspaceFolders: [{ uri: folder, name: 'repo' }], initializationOptions,
    });
    await client.sendNotification('initialized', {});
    return editor;
  }

  /** Shows the marked text in a document, as a new one or as a change, and asks for a suggestion at the mark. */
  async type(marked: string, options: { uri?: string; languageId?: string; invoked?: boolean; selected?: SelectedCompletionInfo; cancel?: Promise<void> } = {}): Promise<InlineCompletionItem[] | null> {
    const { before, after } = at(marked);
    const { uri = 'file:///repo/src/a.ts', languageId = 'typescript', invoked = false, selected } = options;
    await this.show(uri, languageId, before + after);
    const lines = before.split('\n');
    const position = { line: lines.length - 1, character: lines.at(-1)?.length ?? 0 };
    const triggerKind = invoked ? InlineCompletionTriggerKind.Invoked : InlineCompletionTriggerKind.Automatic;
    const source = new CancellationTokenSource();
    void options.cancel?.then(() => source.cancel());
    const result = await this.connection.sendRequest(
      InlineCompletionRequest.method, { textDocument: { uri }, position, context: { triggerKind, ...(selected === undefined ? {} : { selectedCompletionInfo: selected }) } }, source.token,
    );
    return result as InlineCompletionItem[] | null;
  }

  async show(uri: string, languageId: string, text: string): Promise<void> {
    const version = (this.versions.get(uri) ?? 0) + 1;
    this.versions.set(uri, version);
    if (version === 1) await this.connection.sendNotification('textDocument/didOpen', { textDocument: { uri, languageId, version, text } });
    else await this.connection.sendNotification('textDocument/didChange', { textDocument: { uri, version }, contentChanges: [{ text }] });
  }

  /** Any request beside LSP's own. */
  async request(method: string, params: unknown, token?: CancellationToken): Promise<unknown> {
    return await (token === undefined ? this.connection.sendRequest(method, params) : this.connection.sendRequest(method, params, token));
  }

  onNotification(method: string, listener: (value: unknown) => void): void {
    this.connection.onNotification(method, listener);
  }

  async notify(method: string, params: unknown): Promise<void> {
    await this.connection.sendNotification(method, params);
  }

  async configure(changed: Partial<InlineConfiguration>): Promise<void> {
    await this.connection.sendNotification(inlineNotifications.configuration.method, { ...configuration, ...changed });
  }

  /** Resolves with the first status, past or coming, in this state. */
  async status(state: InlineStatus['state']): Promise<InlineStatus> {
    for (;;) {
      const found = this.statuses.find((status) => status.state === state);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        const listener = (): void => {
          this.statusListeners.delete(listener);
          resolve();
        };
        this.statusListeners.add(listener);
      });
    }
  }

  dispose(): void {
    this.connection.dispose();
    this.server.dispose();
  }
}
