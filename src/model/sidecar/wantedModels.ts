import type { LoupeError } from '../../base/errors.js';
import { err, type Result } from '../../base/result.js';
import type { Logger } from '../../base/logger.js';
import { type LoadedModel, type LoadParams, type ModelRole, modelRoles, type RoleState, sidecarRequests } from '../../protocol/sidecar.js';
import type { SidecarConnection } from './connection.js';
import type { ModelQuarantine } from './quarantine.js';

export interface WantedModelsDeps {
  readonly quarantine: ModelQuarantine;
  readonly logger: Logger;
  /** Whether the process at the other end ended by itself, and not for want of memory. */
  readonly crashed: (connection: SidecarConnection) => boolean;
}

const smallestContext = 2048;

/** The models that this client asked a sidecar for, so that the next one can load them again; with less context after memory ran out, and not those that end the process. */
export class WantedModels {
  private readonly wanted = new Map<ModelRole, LoadParams>();
  /** What is loaded instead since memory ran out, until somebody asks again. */
  private readonly reduced = new Map<ModelRole, { readonly contextSize: number; readonly reducedFrom: number }>();
  private readonly ready = new Map<ModelRole, LoadedModel>();
  /** What clients of this sidecar load at the moment: paths. */
  private readonly underWay = new Map<ModelRole, string>();

  constructor(private readonly deps: WantedModelsDeps) {}

  /** The user wants everything tried again. */
  async startAfresh(): Promise<void> {
    this.reduced.clear();
    await this.noted(this.deps.quarantine.clear());
  }

  /** Why a file is not to be loaded. */
  refusal({ modelPath }: LoadParams): Promise<LoupeError | undefined> {
    return this.deps.quarantine.refusal(modelPath);
  }

  async load(connection: SidecarConnection, params: LoadParams, signal: AbortSignal | undefined): Promise<Result<LoadedModel>> {
    const result = await this.request(connection, params, signal);
    if (result.ok) {
      this.wanted.set(params.role, params);
      this.reduced.delete(params.role);
      this.ready.set(params.role, result.value);
    }
    return result;
  }

  /** What was loaded before, into a new process. */
  async loadAgain(connection: SidecarConnection): Promise<void> {
    for (const role of modelRoles) {
      const params = this.wanted.get(role);
      if (!params || connection.isClosed) continue;
      const refusal = await this.refusal(params);
      const loaded = refusal ? err(refusal) : await this.request(connection, { ...params, ...this.reduced.get(role) });
      if (loaded.ok) this.ready.set(role, loaded.value);
      else {
        this.deps.logger.log('warn', 'A model could not be loaded again', { role, code: loaded.error.code });
        if (!connection.isClosed) this.forget(role);
      }
    }
  }

  /** Any client may load. */
  follow(role: ModelRole, state: RoleState): void {
    if (state.state === 'loading') this.underWay.set(role, state.path);
    else this.underWay.delete(role);
    if (state.state !== 'ready') return;
    this.ready.set(role, state.model);
    if (state.model.reducedFrom === undefined) this.reduced.delete(role);
  }

  /** The process is gone: roles that somebody else was loading, of which nothing more will be heard. Those of this client are loaded again. */
  takeLostLoads(): readonly { readonly role: ModelRole; readonly path: string }[] {
    const lost = [...this.underWay].filter(([role]) => !this.wanted.has(role));
    this.underWay.clear();
    return lost.map(([role, path]) => ({ role, path }));
  }

  forget(role: ModelRole): void {
    this.wanted.delete(role);
    this.reduced.delete(role);
    this.ready.delete(role);
  }

  /** After a probable kill for want of memory: the same load again would end the same way. */
  shrinkContexts(): void {
    for (const role of this.wanted.keys()) {
      const had = this.reduced.get(role)?.contextSize ?? this.ready.get(role)?.contextSize;
      if (had === undefined || had <= smallestContext) continue;
      const contextSize = Math.max(smallestContext, Math.floor(had / 2));
      this.deps.logger.log('warn', 'Memory ran out; using a smaller context', { role, from: had, to: contextSize });
      this.reduced.set(role, { contextSize, reducedFrom: this.reduced.get(role)?.reducedFrom ?? had });
    }
  }

  private async request(connection: SidecarConnection, params: LoadParams, signal?: AbortSignal): Promise<Result<LoadedModel>> {
    const loaded = await connection.request(sidecarRequests.load, params, signal);
    if (loaded.ok) await this.noted(this.deps.quarantine.loaded(params.modelPath));
    else if (this.deps.crashed(connection)) await this.noted(this.deps.quarantine.crashed(params.modelPath));
    return loaded;
  }

  /** A record that cannot be written costs no model. */
  private async noted(writing: Promise<void>): Promise<void> {
    try {
      await writing;
    } catch (thrown) {
      this.deps.logger.log('warn', 'What became of a model file could not be written down', { error: String(thrown) });
    }
  }
}
