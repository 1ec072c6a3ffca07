import { toError } from '../../base/errors.js';
import type { Event } from '../../base/event.js';
import { err, ok, type Result } from '../../base/result.js';
import { contextRequests, type IndexState, type MemoryPlan, type PlanParams } from '../../protocol/context.js';
import type { RequestType } from '../../protocol/sidecar.js';

/** The language server, as far as the index of repositories needs it. */
export interface ContextServer {
  /** Failures are values, an aborted signal and a server that does not run among them. */
  request<P, R>(type: RequestType<P, Result<R>>, params: P, signal: AbortSignal): Promise<Result<R>>;
  /** The process runs, for the first time or again: what it knew is gone, what it stored is there. */
  readonly onStarted: Event<void>;
  readonly onIndexState: Event<{ readonly folder: string } & IndexState>;
  /** URIs of files that were made, changed or removed below an indexed folder. */
  readonly onFilesChanged: Event<readonly string[]>;
}

/** What the memory asks of the index. Folders are paths of workspace folders. */
export interface RepositoryIndexClient extends Pick<ContextServer, 'onStarted' | 'onIndexState' | 'onFilesChanged'> {
  plan(params: PlanParams, signal: AbortSignal): Promise<Result<MemoryPlan>>;
  forget(folder: string, signal: AbortSignal): Promise<Result<null>>;
}

/** The requests of `contextRequests`, to the language server of this window. */
export class ContextClient implements RepositoryIndexClient {
  readonly onStarted: ContextServer['onStarted'];
  readonly onIndexState: ContextServer['onIndexState'];
  readonly onFilesChanged: ContextServer['onFilesChanged'];

  /** @param removeStored removes what the index of a folder left on disk: where no server runs to do it */
  constructor(private readonly server: ContextServer, private readonly removeStored: (folder: string) => void) {
    ({ onStarted: this.onStarted, onIndexState: this.onIndexState, onFilesChanged: this.onFilesChanged } = server);
  }

  plan(params: PlanParams, signal: AbortSignal): Promise<Result<MemoryPlan>> {
    return this.server.request(contextRequests.plan, params, signal);
  }

  async forget(folder: string, signal: AbortSignal): Promise<Result<null>> {
    const forgotten = await this.server.request(contextRequests.forget, { folder }, signal);
    if (forgotten.ok || forgotten.error.code !== 'memory.indexStopped') return forgotten;
    try {
      this.removeStored(folder);
      return ok(null);
    } catch (thrown) {
      return err(toError(thrown));
    }
  }
}
