import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.js';
import { type Disposable, DisposableStore } from '../../base/disposable.js';
import { failure, type LoupeError, LoupeFailure, makeError } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import { engineStorage, type KvEngine } from '../../model/kvPresets.js';
import { cacheRoot } from '../../model/paths.js';
import type { SidecarSupervisor, SupervisorOptions } from '../../model/sidecar/supervisor.js';
import type { Trust } from '../trust.js';

export interface SidecarDeps {
  /** Folder of the installed extension. */
  readonly extension: string;
  readonly version: string;
  readonly trust: Trust;
  readonly supervisor: (options: SupervisorOptions) => SidecarSupervisor;
  /** Told once when the sidecar is given up. */
  readonly onError: (error: LoupeError) => void;
  readonly logger: Logger;
  readonly clock: Clock;
}

export interface SidecarAddress {
  readonly entry: string;
  readonly execPath: string;
  readonly stateDir: string;
  readonly build: string;
}

/** This window's connection to the shared sidecar: nothing of it exists before the workspace is trusted and a model is needed. */
export class Sidecar implements Disposable {
  private readonly disposables = new DisposableStore();
  private started: Promise<SidecarSupervisor> | undefined;

  constructor(private readonly deps: SidecarDeps) {}

  /** Where the sidecar of this build is, for the processes that find it by themselves. */
  async address(): Promise<SidecarAddress> {
    const entry = join(this.deps.extension, 'dist', 'sidecar', 'main.mjs');
    const { mtimeMs, size } = await stat(entry);
    // Two builds of one version, as developers have them, must not share a sidecar.
    return { entry, execPath: process.execPath, stateDir: join(cacheRoot(), 'run'), build: `${this.deps.version}-${size}-${Math.floor(mtimeMs)}` };
  }

  engine(): Promise<SidecarSupervisor> {
    if (!this.deps.trust.granted) {
      return Promise.reject(failure('workspace.untrusted', 'This workspace is not trusted.', 'Trust it to let Loupe start a model.'));
    }
    return (this.started ??= this.start());
  }

  /** Memory of the running sidecar in bytes; 0 where none runs for this window. */
  async residentBytes(): Promise<number> {
    if (!this.started) return 0;
    const status = await (await this.started).status();
    return status.ok ? status.value.rssBytes : 0;
  }

  /** What the running engine can store; undefined where none runs for this window. */
  async storage(): Promise<KvEngine | undefined> {
    if (!this.started) return undefined;
    const status = await (await this.started).status();
    return status.ok ? engineStorage(status.value.engine) : undefined;
  }

  async restart(): Promise<void> {
    const result = await (await this.engine()).restart();
    if (!result.ok) throw new LoupeFailure(result.error);
  }

  dispose(): void {
    this.disposables.dispose();
  }

  private async start(): Promise<SidecarSupervisor> {
    const { supervisor, logger, clock, onError } = this.deps;
    const engine = this.disposables.add(supervisor({ ...(await this.address()), client: `vscode-${process.pid}`, logger, clock }));
    this.disposables.add(engine.onState((state) => {
      logger.log('info', 'Sidecar', { state: state.state });
      if (state.state === 'failed') {
        const { code, message, next, cause } = state.error;
        onError(makeError(code, message, `${next} Its log is ${engine.logPath}.`, cause));
      }
    }));
    return engine;
  }
}
