import type { Clock } from '../../base/clock.js';
import { type Disposable, DisposableStore, toDisposable } from '../../base/disposable.js';
import { failure, isAbort, messageOf } from '../../base/errors.js';
import { Emitter, type Event } from '../../base/event.js';
import type { Logger } from '../../base/logger.js';
import type { IndexState, MemoryPlan, RelatedFiles } from '../../protocol/context.js';
import type { Focus } from '../graph/ranking.js';
import { relatedFiles } from '../graph/relatedFiles.js';
import { Planner, type PlanOptions } from '../plan/planner.js';
import type { TokenCounter } from '../plan/tokenCounter.js';
import type { IndexStore } from '../store/indexStore.js';
import type { SymbolParser } from '../symbols/parser.js';
import { RepositoryIndex } from './repositoryIndex.js';

/** Says which files changed. */
export interface FileWatch {
  /** Paths relative to the root, with forward slashes; of files that were made, changed or removed. */
  watch(root: string, onChange: (paths: readonly string[]) => void): Disposable;
}

export interface IndexServicePorts {
  openStore(root: string): IndexStore;
  removeStore(root: string): void;
  readonly parser: SymbolParser;
  readonly files: FileWatch;
  /** Paths of `root` that are open in the editor. */
  openFiles(root: string): readonly string[];
  changeCounts(root: string, signal: AbortSignal): Promise<ReadonlyMap<string, number>>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Quiet time after a change before the index takes it up by itself. */
const quietMs = 500;
/** Watchers miss things. A plan that is older looks at all files, which costs a status call for each. */
const trustMs = 30_000;
const mostRecent = 20;
const progressMs = 250;

interface Repository {
  readonly store: IndexStore;
  readonly index: RepositoryIndex;
  readonly planner: Planner;
  readonly watching: Disposable;
  /** Work on one repository is done one after the other. */
  queue: Promise<unknown>;
  state: IndexState;
  /** What changed since the index last looked. */
  pending: Set<string>;
  /** Changed lately, the newest last. */
  recent: Set<string>;
  lookedAt: number | undefined;
  timer: NodeJS.Timeout | undefined;
  readonly stop: AbortController;
}

/**
 * The indexes of this process's folders. A folder is indexed when a plan is first asked for, and follows its files from then on. Calls may come at once; a
 * cancelled one leaves what it has done for the next.
 */
export class IndexService implements Disposable {
  private readonly disposables = new DisposableStore();
  private readonly statusEmitter = this.disposables.add(new Emitter<{ readonly folder: string } & IndexState>());
  private readonly repositories = new Map<string, Repository>();
  readonly onStatus: Event<{ readonly folder: string } & IndexState> = this.statusEmitter.event;

  constructor(private readonly ports: IndexServicePorts) {
    this.disposables.add(toDisposable(() => {
      for (const root of [...this.repositories.keys()]) this.close(root);
    }));
  }

  status(root: string): IndexState {
    return this.repositories.get(root)?.state ?? { state: 'cold' };
  }

  /**
   * What a prompt shall remember of the folder. With `keep` as it was answered last, whatever has changed: between the turns of a conversation. Rejects with
   * the signal's reason.
   */
  async plan(root: string, counter: TokenCounter, { keep, ...options }: PlanOptions & { readonly keep: boolean }, signal: AbortSignal): Promise<MemoryPlan> {
    const repository = this.repository(root);
    const both = AbortSignal.any([signal, repository.stop.signal]);
    const kept = keep ? repository.planner.kept(repository.index.name, counter, options) : undefined;
    if (kept !== undefined) return kept;
    const planned = this.inTurn(repository, both, async () => {
      await this.bringUpToDate(root, repository, both);
      return await repository.planner.plan(repository.index.snapshot(this.focus(root, repository)), counter, options, both);
    });
    // Who gives up is told at once, also while another one's turn lasts.
    return await Promise.race([planned, rejectedBy(both)]);
  }

  /** Which files have to do with names and paths; see {@link relatedFiles}. Rejects with the signal's reason. */
  async related(root: string, about: readonly string[], limit: number, signal: AbortSignal): Promise<RelatedFiles> {
    const repository = this.repository(root);
    const both = AbortSignal.any([signal, repository.stop.signal]);
    const found = this.inTurn(repository, both, async () => {
      await this.bringUpToDate(root, repository, both);
      return await relatedFiles(repository.index.snapshot(this.focus(root, repository)), about, limit);
    });
    return await Promise.race([found, rejectedBy(both)]);
  }

  /** Removes what is kept of the folder, in memory and on disk. */
  async forget(root: string): Promise<void> {
    const repository = this.repositories.get(root);
    this.close(root);
    await repository?.queue.catch(() => undefined);
    this.ports.removeStore(root);
    this.statusEmitter.fire({ folder: root, state: 'cold' });
  }

  dispose(): void {
    this.disposables.dispose();
  }

  private repository(root: string): Repository {
    if (this.disposables.isDisposed) throw failure('cancelled', 'The index is closed.', 'Ask again when the language server runs.');
    let repository = this.repositories.get(root);
    if (repository === undefined) {
      const store = this.ports.openStore(root);
      repository = {
        store, index: new RepositoryIndex(root, { ...this.ports, store, changeCounts: (folder, signal) => this.ports.changeCounts(folder, signal) }), planner: new Planner(store),
        watching: this.ports.files.watch(root, (paths) => this.changed(root, paths)),
        queue: Promise.resolve(), state: { state: 'cold' }, pending: new Set(), recent: new Set(), lookedAt: undefined, timer: undefined, stop: new AbortController(),
      };
      this.repositories.set(root, repository);
    }
    return repository;
  }

  private changed(root: string, paths: readonly string[]): void {
    const repository = this.repositories.get(root);
    if (repository === undefined) return;
    for (const path of paths) {
      repository.pending.add(path);
      repository.recent.delete(path);
      repository.recent.add(path);
    }
    for (const path of [...repository.recent].slice(0, -mostRecent)) repository.recent.delete(path);
    if (repository.state.state !== 'ready') return;
    clearTimeout(repository.timer);
    repository.timer = setTimeout(() => {
      this.inTurn(repository, repository.stop.signal, () => this.bringUpToDate(root, repository, repository.stop.signal)).catch((error: unknown) => {
        if (!isAbort(error)) this.ports.logger.log('warn', 'The repository index could not follow a change', { cause: messageOf(error) });
      });
    }, quietMs);
  }

  private async bringUpToDate(root: string, repository: Repository, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const now = this.ports.clock.monotonic();
    const pending = [...repository.pending];
    const isRecent = repository.lookedAt !== undefined && now - repository.lookedAt < trustMs;
    if (isRecent && pending.length === 0) return;
    repository.pending.clear();
    try {
      if (isRecent && await repository.index.update(pending, signal)) return;
      let shownAt = -Infinity;
      const report = await repository.index.refresh(signal, (done, total) => {
        const at = this.ports.clock.monotonic();
        if (at - shownAt < progressMs) return;
        shownAt = at;
        this.show(root, repository, { state: 'indexing', done, total });
      });
      repository.lookedAt = now;
      this.show(root, repository, { state: 'ready', report });
    } catch (error) {
      for (const path of pending) repository.pending.add(path);
      this.show(root, repository, signal.aborted ? { state: 'cold' } : { state: 'failed', message: messageOf(error) });
      throw error;
    }
  }

  private async inTurn<T>(repository: Repository, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const turn = repository.queue.catch(() => undefined).then(() => {
      signal.throwIfAborted();
      return work();
    });
    repository.queue = turn.catch(() => undefined);
    return await turn;
  }

  private focus(root: string, { recent }: Repository): Focus {
    return { open: this.ports.openFiles(root), changed: [...recent] };
  }

  private show(root: string, repository: Repository, state: IndexState): void {
    repository.state = state;
    if (!this.disposables.isDisposed) this.statusEmitter.fire({ folder: root, ...state });
  }

  private close(root: string): void {
    const repository = this.repositories.get(root);
    if (repository === undefined) return;
    this.repositories.delete(root);
    repository.stop.abort();
    clearTimeout(repository.timer);
    repository.watching.dispose();
    repository.store.close();
  }
}

/** Rejects with the signal's reason. For a signal that lives as long as one call: the listener stays. */
function rejectedBy(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}
