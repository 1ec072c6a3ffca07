import type { CancellationToken, Connection } from 'vscode-languageserver/node';
import { DidChangeWatchedFilesNotification } from 'vscode-languageserver/node';
import { type Disposable, DisposableStore, toDisposable } from '../../base/disposable.js';
import { failure, messageOf, toError } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import { err, ok, type Result } from '../../base/result.js';
import type { FileWatch, IndexService } from '../../context/index/indexService.js';
import type { Engine } from '../../model/engine.js';
import { contextNotifications, contextRequests } from '../../protocol/context.js';
import type { RequestType } from '../../protocol/sidecar.js';
import { below } from './folders.js';
import { tokenizerOf } from './tokenizer.js';

export interface ServedContext {
  readonly index: IndexService;
  readonly engine: Engine;
  /** Whether a path is one of a workspace folder: only those are indexed. */
  isFolder(path: string): boolean;
}

/**
 * The requests of `contextRequests` over a connection. `running` is undefined until the server is initialized, and where it was started without a place
 * for the index. Handlers answer with a `Result`, whatever happens.
 */
export function serveContext(connection: Connection, logger: Logger, running: () => ServedContext | undefined): Disposable {
  const store = new DisposableStore();
  const handle = <P extends { readonly folder: string }, R>({ method, params }: RequestType<P, Result<R>>, answer: (served: ServedContext, params: P, signal: AbortSignal) => Promise<R>): void => {
    store.add(connection.onRequest(method, async (value: unknown, token: CancellationToken): Promise<Result<R>> => {
      const controller = new AbortController();
      const subscription = token.onCancellationRequested(() => controller.abort());
      try {
        if (token.isCancellationRequested) controller.abort();
        const parsed = params.parse(value);
        const served = running();
        if (served === undefined) throw failure('internal', 'This language server keeps no repository index.', 'Install Loupe again, or report this.');
        if (!served.isFolder(parsed.folder)) throw failure('path.outsideWorkspace', `${JSON.stringify(parsed.folder)} is not a folder of the workspace.`, 'Open the folder first.');
        return ok(await answer(served, parsed, controller.signal));
      } catch (error) {
        if (!controller.signal.aborted) logger.log('warn', 'A request about the repository index failed', { method, cause: messageOf(error) });
        return err(toError(error));
      } finally {
        subscription.dispose();
      }
    }));
  };
  handle(contextRequests.plan, async ({ index, engine }, { folder, role, budget, keep }, signal) =>
    await index.plan(folder, await tokenizerOf(engine, role), { budget, keep }, signal));
  handle(contextRequests.related, async ({ index }, { folder, about, limit }, signal) => await index.related(folder, about, limit, signal));
  handle(contextRequests.status, async ({ index }, { folder }) => index.status(folder));
  handle(contextRequests.forget, async ({ index }, { folder }) => {
    await index.forget(folder);
    return null;
  });
  return store;
}

/** Tells the extension of every state of the index. */
export function announce(connection: Connection, index: IndexService): Disposable {
  return index.onStatus((status) => void connection.sendNotification(contextNotifications.status.method, status));
}

/**
 * File changes as the editor sees them. The editor watches when the first folder asks, where it can; elsewhere the index looks at the files itself before a
 * plan.
 */
export class EditorWatch implements FileWatch, Disposable {
  private readonly listeners = new Map<string, (paths: readonly string[]) => void>();
  private readonly store = new DisposableStore();
  private registered = false;

  constructor(private readonly connection: Connection, private readonly canRegister: boolean, private readonly logger: Logger) {
    this.store.add(connection.onDidChangeWatchedFiles(({ changes }) => {
      for (const [root, listener] of this.listeners) {
        const paths = below(root, changes.map(({ uri }) => uri));
        if (paths.length > 0) listener(paths);
      }
    }));
  }

  watch(root: string, onChange: (paths: readonly string[]) => void): Disposable {
    this.listeners.set(root, onChange);
    if (this.canRegister && !this.registered) {
      this.registered = true;
      this.connection.client.register(DidChangeWatchedFilesNotification.type, { watchers: [{ globPattern: '**/*' }] }).then(
        (registration) => void this.store.add(registration),
        (error: unknown) => this.logger.log('warn', 'The editor does not watch files for the repository index', { cause: messageOf(error) }),
      );
    }
    return toDisposable(() => this.listeners.delete(root));
  }

  dispose(): void {
    this.listeners.clear();
    this.store.dispose();
  }
}
