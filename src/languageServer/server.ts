import {
  type CancellationToken, type Connection, type InitializeParams, type InlineCompletionItem, type InlineCompletionParams,
  InlineCompletionTriggerKind, TextDocuments, TextDocumentSyncKind,
} from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import type { Clock } from '../base/clock.js';
import { type Disposable, DisposableStore, toDisposable } from '../base/disposable.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { FileWatch, IndexService } from '../context/index/indexService.js';
import type { Engine } from '../model/engine.js';
import {
  type InlineConfiguration, inlineConfigurationSchema, type InlineInitialization, inlineInitializationSchema, inlineNotifications,
} from '../protocol/inline.js';
import type { ContextInitialization } from '../protocol/context.js';
import { CompletionModel } from './completionModel.js';
import { below, pathOf } from './context/folders.js';
import { announce, EditorWatch, serveContext, type ServedContext } from './context/serveContext.js';
import { displayPath, insertionAt } from './documents.js';
import { isLanguageEnabled } from './inline/languages.js';
import { Suggester } from './inline/suggester.js';

export interface ServerPorts {
  /** The engine of this server: the sidecar, in the product. */
  createEngine(initialization: InlineInitialization): Engine & Disposable;
  /** The index of repositories, over the editor's view of files. `openFiles`: those that are open below a folder. */
  createIndex(initialization: ContextInitialization, editor: { readonly files: FileWatch; openFiles(root: string): readonly string[] }): IndexService;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * LSP `textDocument/inlineCompletion` over a connection that the caller then listens on. Works on one request at a time: a newer one
 * aborts the older. Errors never reach the editor as failed requests: there is no suggestion, a log line, and, where the
 * user can do something, one status notification.
 */
export function serve(connection: Connection, ports: ServerPorts): Disposable {
  const store = new DisposableStore();
  const documents = new TextDocuments(TextDocument);
  let running: { readonly engine: Engine & Disposable; readonly model: CompletionModel; readonly suggester: Suggester; configuration: InlineConfiguration } | undefined;
  /** URIs of the workspace folders. */
  const folders = new Set<string>();
  let context: ServedContext | undefined;
  let canFollowFolders = false;
  let newest = new AbortController();

  connection.onInitialize((params: InitializeParams) => {
    const initialization = inlineInitializationSchema.parse(params.initializationOptions);
    const engine = store.add(ports.createEngine(initialization));
    const model = store.add(new CompletionModel(engine, ports.clock, ports.logger));
    const suggester = new Suggester(engine, model, ports.clock, ports.logger, (measurement) => {
      void connection.sendNotification(inlineNotifications.measured.method, measurement);
    });
    store.add(model.onStatus((status) => {
      suggester.reset();
      void connection.sendNotification(inlineNotifications.status.method, status);
    }));
    if (initialization.context !== undefined) {
      const canRegister = params.capabilities.workspace?.didChangeWatchedFiles?.dynamicRegistration === true;
      const files = store.add(new EditorWatch(connection, canRegister, ports.logger));
      const index = store.add(ports.createIndex(initialization.context, { files, openFiles: (root) => below(root, documents.keys()) }));
      store.add(announce(connection, index));
      context = { index, engine, isFolder: (path) => [...folders].some((uri) => pathOf(uri) === path) };
    }
    running = { engine, model, suggester, configuration: initialization.configuration };
    for (const { uri } of params.workspaceFolders ?? []) folders.add(uri);
    canFollowFolders = params.capabilities.workspace?.workspaceFolders === true;
    return {
      capabilities: {
        textDocumentSync: TextDocumentSyncKind.Incremental, inlineCompletionProvider: true, workspace: { workspaceFolders: { supported: true, changeNotifications: canFollowFolders } },
      },
    };
  });
  connection.onInitialized(() => {
    if (canFollowFolders) {
      store.add(connection.workspace.onDidChangeWorkspaceFolders(({ added, removed }) => {
        for (const { uri } of removed) folders.delete(uri);
        for (const { uri } of added) folders.add(uri);
      }));
    }
    if (running !== undefined) running.model.configure(running.configuration.model);
    for (const document of documents.all()) opened(document);
  });
  connection.onNotification(inlineNotifications.configuration.method, (value: unknown) => {
    const parsed = inlineConfigurationSchema.safeParse(value);
    if (!parsed.success || running === undefined) {
      ports.logger.log('error', 'Configuration not understood', { problem: parsed.success ? 'not initialized' : parsed.error.message });
      return;
    }
    running.configuration = parsed.data;
    running.suggester.reset();
    running.model.configure(parsed.data.model);
    for (const document of documents.all()) opened(document);
  });

  /** The model is loaded when a file is opened in which it will be wanted, not with the first keystroke and not without need. */
  const opened = (document: TextDocument): void => {
    if (running !== undefined && isLanguageEnabled(document.languageId, running.configuration.languages)) running.model.prepare();
  };
  documents.onDidOpen(({ document }) => opened(document));
  documents.onDidClose(({ document }) => running?.suggester.forget(document.uri));

  const complete = async (params: InlineCompletionParams, token: CancellationToken): Promise<InlineCompletionItem[] | null> => {
    newest.abort();
    newest = new AbortController();
    const document = documents.get(params.textDocument.uri);
    if (running === undefined || document === undefined) return null;
    const { configuration, suggester } = running;
    if (!isLanguageEnabled(document.languageId, configuration.languages)) return null;
    const insertion = insertionAt(document, params.position, params.context.selectedCompletionInfo);
    if (insertion === undefined) return null;
    const controller = newest;
    if (token.isCancellationRequested) controller.abort();
    const subscription = token.onCancellationRequested(() => controller.abort());
    try {
      const suggested = suggester.suggest({
        uri: document.uri, path: displayPath(document.uri, [...folders]), line: params.position.line, cursor: insertion.cursor,
        invoked: params.context.triggerKind === InlineCompletionTriggerKind.Invoked, maxTokens: configuration.maxTokens,
      }, controller.signal);
      const text = await untilAborted(suggested.catch((error: unknown) => {
        ports.logger.log('error', 'A suggestion failed', { cause: messageOf(error) });
        return undefined;
      }), controller.signal);
      return text === undefined ? null : [{ insertText: insertion.lead + text, range: insertion.range }];
    } finally {
      subscription.dispose();
    }
  };
  connection.languages.inlineCompletion.on(complete);

  store.add(serveContext(connection, ports.logger, () => context));
  store.add(documents.listen(connection));
  store.add(toDisposable(() => newest.abort()));
  connection.onShutdown(() => store.dispose());
  return store;
}

/** The engine hears of an abort at its next token; the editor is answered at once. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  let end = (): void => undefined;
  const aborted = new Promise<undefined>((resolve) => (end = () => resolve(undefined)));
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', end);
  }
}
