import type { Disposable } from '../../base/disposable.js';
import { type LoupeError, makeError, toError } from '../../base/errors.js';
import { Emitter } from '../../base/event.js';
import { err, ok, type Result } from '../../base/result.js';
import { emptyStats } from '../../protocol/chat.js';
import type { PrefixStats } from '../../protocol/memory.js';
import {
  type GenerateParams, type GenerateResult, type HelloResult, type KvAudit, type LoadedModel, type LoadParams, type ModelRole,
  type PrefillParams, type ProbeParams, type ProbeResult, type PromptSegment, type RoleState, sidecarRequests, type SidecarStatus,
} from '../../protocol/sidecar.js';
import type { Engine, EngineMemory, GenerateHandlers } from '../engine.js';
import type { SidecarConnection } from './connection.js';
import { CrashLimit } from './crashLimit.js';
import { Heartbeat } from './heartbeat.js';
import { attachOrLaunch, endHungSidecar, type LaunchOptions } from './launcher.js';
import { MemoryClient } from './memoryClient.js';
import { MemoryPressure, type MemorySigns, systemSigns } from './memoryPressure.js';
import { ModelQuarantine } from './quarantine.js';
import { sidecarFiles } from './stateFiles.js';
import { WantedModels } from './wantedModels.js';

export type SupervisorState =
  | { readonly state: 'idle' }
  | { readonly state: 'starting' }
  | { readonly state: 'ready'; readonly hello: HelloResult }
  /** The sidecar crashed or hung, and the next one is on its way. */
  | { readonly state: 'restarting'; readonly reason: LoupeError }
  | { readonly state: 'failed'; readonly error: LoupeError };

export interface SupervisorOptions extends LaunchOptions {
  readonly heartbeatMs?: number;
  readonly hangMs?: number;
  /** Absent: what the operating system says. */
  readonly memorySigns?: MemorySigns;
}

/**
 * The engine as the editor sees it: finds or starts the shared sidecar when first needed, watches it, starts it again after a
 * crash or a hang, loads again what was loaded, and gives up after five crashes in three minutes until `restart` is called.
 */
export class SidecarSupervisor implements Engine, Disposable {
  private readonly roleEmitter = new Emitter<{ readonly role: ModelRole; readonly state: RoleState }>();
  private readonly stateEmitter = new Emitter<SupervisorState>();
  readonly onRoleState = this.roleEmitter.event;
  readonly onState = this.stateEmitter.event;
  readonly prefixes: EngineMemory = new MemoryClient((send) => this.call(send));

  private current: SupervisorState = { state: 'idle' };
  private connection: SidecarConnection | undefined;
  private connecting: Promise<Result<SidecarConnection>> | undefined;
  private heartbeat: Heartbeat | undefined;
  private readonly crashes: CrashLimit;
  private readonly memory: MemoryPressure;
  private readonly models: WantedModels;
  /** Ended because somebody asked for that. */
  private readonly endedHere = new WeakSet<SidecarConnection>();
  private disposed = false;

  constructor(private readonly options: SupervisorOptions) {
    this.crashes = new CrashLimit(options.clock);
    this.memory = new MemoryPressure(options.memorySigns ?? systemSigns, options.clock);
    this.models = new WantedModels({
      quarantine: new ModelQuarantine(sidecarFiles(options.stateDir, options.build).quarantine), logger: options.logger,
      crashed: (connection) => connection.isClosed && !this.disposed && !this.endedHere.has(connection) && !this.memory.probablyOutOfMemory(),
    });
  }

  get state(): SupervisorState {
    return this.current;
  }

  get logPath(): string {
    return sidecarFiles(this.options.stateDir, this.options.build).log;
  }

  /** Connects now instead of with the first request. */
  async start(): Promise<Result<HelloResult>> {
    const connection = await this.ready();
    return connection.ok ? ok(connection.value.hello) : connection;
  }

  /** Ends the sidecar and starts a new one with what was asked for; also the way out of a crash loop and of a reduced context. */
  async restart(): Promise<Result<HelloResult>> {
    const old = this.connection;
    this.crashes.reset();
    this.detach();
    if (old) await this.endProcess(old);
    await this.models.startAfresh();
    this.setState({ state: 'idle' });
    return this.start();
  }

  async load(params: LoadParams, signal?: AbortSignal): Promise<Result<LoadedModel>> {
    const refusal = await this.models.refusal(params);
    return refusal ? err(refusal) : this.call((c) => this.models.load(c, params, signal));
  }

  async unload(role: ModelRole): Promise<Result<null>> {
    this.models.forget(role);
    return this.call((c) => c.request(sidecarRequests.unload, { role }));
  }

  status(): Promise<Result<SidecarStatus>> {
    return this.call((c) => c.request(sidecarRequests.status, {}));
  }

  generate(params: GenerateParams, handlers: GenerateHandlers, signal: AbortSignal): Promise<Result<GenerateResult>> {
    const nothing: GenerateResult = { text: '', stats: { ...emptyStats, finish: 'cancelled' } };
    return this.call((c) => (signal.aborted ? Promise.resolve(ok(nothing)) : c.stream(sidecarRequests.generate, params, handlers, signal)));
  }

  probe(params: ProbeParams, signal: AbortSignal): Promise<Result<ProbeResult>> {
    return this.call((c) => c.stream(sidecarRequests.probe, params, {}, signal));
  }

  prefill(params: PrefillParams, signal: AbortSignal): Promise<Result<PrefixStats>> {
    return this.call((c) => c.request(sidecarRequests.prefill, params, signal));
  }

  tokenize(role: ModelRole, segments: readonly PromptSegment[], signal?: AbortSignal): Promise<Result<{ tokens: number[] }>> {
    return this.call((c) => c.request(sidecarRequests.tokenize, { role, segments: [...segments] }, signal));
  }

  audit(role: ModelRole): Promise<Result<KvAudit>> {
    return this.call((c) => c.request(sidecarRequests.audit, { role }));
  }

  /** Leaves the sidecar; it ends by itself when nobody else uses it. */
  dispose(): void {
    this.disposed = true;
    this.detach();
    this.roleEmitter.dispose();
    this.stateEmitter.dispose();
  }

  private async call<T>(send: (connection: SidecarConnection) => Promise<Result<T>>): Promise<Result<T>> {
    const connection = await this.ready();
    return connection.ok ? send(connection.value) : connection;
  }

  private ready(): Promise<Result<SidecarConnection>> {
    if (this.disposed) return Promise.resolve(err(makeError('sidecar.unavailable', 'Loupe is shutting down.', 'Open the window again.')));
    if (this.connection) return Promise.resolve(ok(this.connection));
    if (this.current.state === 'failed') return Promise.resolve(err(this.current.error));
    if (this.current.state === 'idle') this.setState({ state: 'starting' });
    return (this.connecting ??= this.connect(0));
  }

  private async connect(delayMs: number): Promise<Result<SidecarConnection>> {
    let wait = delayMs;
    for (;;) {
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      const attempt = await this.attempt();
      if (attempt.ok || this.disposed) {
        this.connecting = undefined;
        return attempt;
      }
      const next = this.crashes.crashed();
      if (next === 'stop' || attempt.error.code === 'sidecar.protocol' || attempt.error.code === 'sidecar.unauthorized') {
        this.connecting = undefined;
        return err(this.fail(next === 'stop' ? this.loopError(attempt.error) : attempt.error));
      }
      wait = next;
    }
  }

  private async attempt(): Promise<Result<SidecarConnection>> {
    try {
      const result = await attachOrLaunch(this.options, () => this.disposed);
      if (!result.ok) return result;
      if (this.disposed) {
        result.value.close();
        return err(makeError('cancelled', 'Cancelled.', 'Ask again when you are ready.'));
      }
      await this.adopt(result.value);
      if (!result.value.isClosed) return result;
      if (this.memory.probablyOutOfMemory()) this.models.shrinkContexts();
      return err(this.crashError());
    } catch (thrown) {
      this.options.logger.log('error', 'Starting the sidecar failed', { error: String(thrown) });
      return err(toError(thrown));
    }
  }

  /** Loads what was loaded before, then lets waiting requests through. */
  private async adopt(connection: SidecarConnection): Promise<void> {
    connection.onRoleState((change) => {
      this.models.follow(change.role, change.state);
      this.roleEmitter.fire(change);
    });
    this.memory.begin();
    await this.models.loadAgain(connection);
    if (connection.isClosed) return;
    this.connection = connection;
    connection.onClose(() => this.lost(connection));
    this.heartbeat = new Heartbeat({
      intervalMs: this.options.heartbeatMs ?? 1500,
      timeoutMs: this.options.hangMs ?? 5000,
      clock: this.options.clock,
      ping: () => {
        void this.memory.sample();
        return connection.request(sidecarRequests.ping, {});
      },
      onHang: () => void this.hung(connection),
    });
    this.setState({ state: 'ready', hello: connection.hello });
  }

  private async hung(connection: SidecarConnection): Promise<void> {
    this.options.logger.log('warn', 'The sidecar hangs; ending it', { pid: connection.hello.pid });
    try {
      await endHungSidecar(sidecarFiles(this.options.stateDir, this.options.build), connection.hello);
    } catch (thrown) {
      this.options.logger.log('error', 'The hung sidecar could not be ended', { error: String(thrown) });
    }
    connection.close();
  }

  private lost(connection: SidecarConnection): void {
    if (this.connection !== connection || this.disposed) return;
    this.heartbeat?.dispose();
    this.connection = undefined;
    const reason = this.crashError();
    // Not only while this client has work there: every window decides the same, or they would undo one another's load.
    if (this.memory.probablyOutOfMemory()) this.models.shrinkContexts();
    for (const { role, path } of this.models.takeLostLoads()) this.roleEmitter.fire({ role, state: { state: 'failed', path, error: reason } });
    const delay = this.crashes.crashed();
    this.options.logger.log('warn', 'Lost the sidecar', { pid: connection.hello.pid, restartInMs: delay });
    if (delay === 'stop') {
      this.fail(this.loopError(reason));
      return;
    }
    this.setState({ state: 'restarting', reason });
    this.connecting = this.connect(delay);
  }

  private async endProcess(connection: SidecarConnection): Promise<void> {
    this.endedHere.add(connection);
    const closed = new Promise<boolean>((resolve) => connection.onClose(() => resolve(true)));
    const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 3000));
    void connection.request(sidecarRequests.shutdown, {});
    if (!connection.isClosed && !(await Promise.race([closed, late]))) {
      await endHungSidecar(sidecarFiles(this.options.stateDir, this.options.build), connection.hello);
    }
    connection.close();
  }

  /** Forgets the connection without counting a crash. */
  private detach(): void {
    this.heartbeat?.dispose();
    const connection = this.connection;
    this.connection = undefined;
    if (this.disposed) connection?.close();
  }

  private crashError(): LoupeError {
    return makeError('sidecar.crashed', 'The model process ended unexpectedly.', 'Loupe starts it again; ask once more.', undefined, { log: this.logPath });
  }

  private loopError(cause: LoupeError): LoupeError {
    return makeError('sidecar.crashLoop', 'The model process crashed five times within three minutes, so Loupe stopped starting it.',
      `Look into the log ${this.logPath}, then run "Loupe: Restart Sidecar".`, cause.message, { log: this.logPath });
  }

  private fail(error: LoupeError): LoupeError {
    this.setState({ state: 'failed', error });
    return error;
  }

  private setState(state: SupervisorState): void {
    this.current = state;
    this.stateEmitter.fire(state);
  }
}
