import { LlamaLogLevel } from 'node-llama-cpp';
import type { Clock } from '../../base/clock.js';
import { failure, toError } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import { resolveKv } from '../../model/kvPresets.js';
import {
  type EngineInfo, type GenerateParams, type GenerateResult, type KvAudit, type LoadedModel, type LoadParams, type ModelRole,
  type PrefillParams, type ProbeParams, type ProbeResult, type PromptSegment, type RememberParams, type RestoreParams, type RoleState,
} from '../../protocol/sidecar.js';
import type { Forgotten, MemoryList, PrefixStats, RememberResult } from '../../protocol/memory.js';
import { infoOf, type SnapshotStore } from '../snapshots/store.js';
import { type Binding, type BindingOptions, loadBinding, withoutGpu } from './binding.js';
import { generate, type GenerationContext, type GenerationEvents } from './generation.js';
import { auditKv } from './kvAudit.js';
import { KvLog } from './kvLog.js';
import { isPlan, planContext } from './contextPlan.js';
import type { MemoryProbe } from './memory.js';
import { checkModel, loadCompressedOrNot, loadRole, planOrFail } from './modelLoader.js';
import { Newest } from './newest.js';
import { probe } from './probe.js';
import { readAhead } from './readAhead.js';
import { remember, restore } from './remember.js';
import { tokenizeSegments } from './prompt.js';
import type { RoleRuntime } from './roleRuntime.js';
import type { SnapshotDeps } from './roleSnapshots.js';
import { type Priority, Scheduler } from './scheduler.js';
import { WeightStore } from './weightStore.js';

export interface EngineDeps {
  readonly memory: MemoryProbe;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: SnapshotStore;
  readonly onRoleState: (role: ModelRole, state: RoleState) => void;
  /** Load the stock binding even where ours is there. */
  readonly stockOnly: boolean;
}

/** Models, contexts and the work on them. Methods throw {@link LoupeFailure}s. */
export class LlamaEngine {
  private readonly bindings = new Map<'auto' | 'off', Promise<Binding>>();
  private readonly weights = new WeightStore();
  private readonly runtimes = new Map<ModelRole, RoleRuntime>();
  private readonly roleStates: Record<ModelRole, RoleState> = { chat: { state: 'empty' }, completion: { state: 'empty' } };
  private readonly scheduler: Scheduler;
  private readonly ahead = new Newest();
  /** Loads and unloads run one after another. */
  private changes: Promise<unknown> = Promise.resolve();
  private kvLog: KvLog | undefined;

  constructor(private readonly deps: EngineDeps) {
    this.scheduler = new Scheduler(deps.clock);
  }

  async info(): Promise<EngineInfo> {
    const { llama, kind, note, formatVersion, formats, isa } = await this.binding('auto');
    return {
      llamaCpp: llama.llamaCppRelease.release,
      binding: kind, ...(note === undefined ? {} : { bindingNote: note }), formatVersion, formats, isa,
      gpu: llama.gpu === false ? 'none' : llama.gpu,
      threads: llama.cpuMathCores,
    };
  }

  get states(): Readonly<Record<ModelRole, RoleState>> {
    return { ...this.roleStates };
  }

  get queued(): number {
    return this.scheduler.queued;
  }

  load(params: LoadParams, signal: AbortSignal): Promise<LoadedModel> {
    return this.change(() => this.replace(params, signal));
  }

  unload(role: ModelRole): Promise<void> {
    return this.change(async () => {
      const runtime = this.runtimes.get(role);
      this.runtimes.delete(role);
      await runtime?.dispose();
      this.setState(role, { state: 'empty' });
    });
  }

  generate(request: GenerateParams, events: GenerationEvents, signal: AbortSignal): Promise<GenerateResult> {
    return this.work(request.role, signal, (context) => generate(context, request, events));
  }

  probe(request: ProbeParams, events: GenerationEvents, signal: AbortSignal): Promise<ProbeResult> {
    return this.work(request.role, signal, (context) => probe(context, request, events));
  }

  remember(request: RememberParams, events: GenerationEvents, signal: AbortSignal): Promise<RememberResult> {
    return this.work(request.role, signal, (context) => remember(context, request, events), 'background');
  }

  restore(request: RestoreParams, events: GenerationEvents, signal: AbortSignal): Promise<PrefixStats> {
    return this.work(request.role, signal, (context) => restore(context, request, events));
  }

  prefill(request: PrefillParams, signal: AbortSignal): Promise<PrefixStats> {
    return this.ahead.run(signal, (newest) => this.work(request.role, newest, (context) => readAhead(context, request), 'background'));
  }

  async memories(): Promise<MemoryList> {
    const snapshots = (await this.deps.store.list()).map(infoOf);
    return { snapshots, bytes: snapshots.reduce((sum, { bytes }) => sum + bytes, 0), budgetBytes: this.deps.store.budgetBytes };
  }

  forget(memory: string | undefined): Promise<Forgotten> {
    return this.deps.store.forget(memory);
  }

  async setMemoryBudget(bytes: number): Promise<MemoryList> {
    await this.deps.store.setBudget(bytes);
    return this.memories();
  }

  tokenize(role: ModelRole, segments: readonly PromptSegment[]): number[] {
    return tokenizeSegments(this.runtime(role).model, segments);
  }

  async audit(role: ModelRole): Promise<KvAudit> {
    const runtime = this.runtime(role);
    return auditKv(runtime, await this.binding(runtime.params.gpu), await this.info(), await this.deps.memory.available());
  }

  private runtime(role: ModelRole): RoleRuntime {
    const runtime = this.runtimes.get(role);
    if (runtime) return runtime;
    throw failure('model.none', role === 'chat' ? 'No chat model is loaded.' : 'No completion model is loaded.', 'Choose a model with "Loupe: Choose Model".');
  }

  private async work<T>(role: ModelRole, signal: AbortSignal, run: (context: GenerationContext) => Promise<T>, priority: Priority = role): Promise<T> {
    const runtime = this.runtime(role);
    if (role === 'completion') for (const other of this.runtimes.values()) other.slices.completionSeen();
    const { llama } = await this.binding(runtime.params.gpu);
    const lane = this.scheduler.open(priority);
    try {
      return await runtime.use(signal, (both) => run({ llama, role: runtime, lane, clock: this.deps.clock, signal: both }));
    } finally {
      lane.close();
    }
  }

  private async replace(params: LoadParams, signal: AbortSignal): Promise<LoadedModel> {
    const previous = this.runtimes.get(params.role);
    if (previous && sameLoad(previous, params)) return previous.loaded;
    this.setState(params.role, { state: 'loading', path: params.modelPath, fraction: 0 });
    try {
      const runtime = await this.loadBeside(params, previous, signal);
      this.runtimes.set(params.role, runtime);
      this.setState(params.role, { state: 'ready', model: runtime.loaded });
      runtime.warmUp();
      return runtime.loaded;
    } catch (thrown) {
      const error = toError(thrown);
      const still = this.runtimes.get(params.role);
      this.setState(params.role, still ? { state: 'ready', model: still.loaded } : { state: 'failed', path: params.modelPath, error });
      throw thrown;
    }
  }

  /** Loads the new model while the previous one still serves; only where memory does not allow that, the previous one goes first. */
  private async loadBeside(params: LoadParams, previous: RoleRuntime | undefined, signal: AbortSignal): Promise<RoleRuntime> {
    const checked = await checkModel(params.modelPath);
    const free = await this.deps.memory.available();
    const weightBytes = this.weights.has(params.modelPath, params.gpu) ? 0 : checked.fileBytes;
    const binding = await this.binding(params.gpu);
    const kv = resolveKv(params.kvPreset, checked.shape, binding);
    const deps = {
      binding, weights: this.weights, snapshots: this.snapshots(binding), clock: this.deps.clock, signal,
      newKvLog: () => new KvLog(),
      captureLog: (log: KvLog | undefined) => { this.kvLog = log; },
      onProgress: this.progress(params),
    };
    const beside = planContext(params, checked.shape, kv, weightBytes, free);
    if (!previous || isPlan(beside)) {
      const runtime = await loadCompressedOrNot(deps, params, checked, kv, planOrFail(params, beside, free), (exact) => planOrFail(params, planContext(params, checked.shape, exact, weightBytes, free), free));
      await previous?.dispose();
      return runtime;
    }
    const goes = previous.ownsWeights && previous.params.modelPath === params.modelPath ? checked.fileBytes : weightBytes;
    const freed = free + previous.releasableBytes;
    const after = planOrFail(params, planContext(params, checked.shape, kv, goes, freed), freed);
    this.runtimes.delete(params.role);
    await previous.dispose();
    try {
      return await loadCompressedOrNot(deps, params, checked, kv, after, (exact) => planOrFail(params, planContext(params, checked.shape, exact, goes, freed), freed));
    } catch (thrown) {
      const old = { shape: previous.shape, fileBytes: previous.loaded.fileBytes };
      const plan = { contextSize: previous.loaded.contextSize, sequences: previous.pool.all.length };
      const again = { ...deps, binding: await this.binding(previous.params.gpu), snapshots: this.snapshots(await this.binding(previous.params.gpu)), signal: new AbortController().signal };
      const { kv: format, kvNote } = previous.loaded;
      this.runtimes.set(params.role, await loadRole(again, previous.params, old, { format, ...(kvNote === undefined ? {} : { note: kvNote }) }, plan));
      throw thrown;
    }
  }

  private progress(params: LoadParams): (fraction: number) => void {
    let shown = 0;
    return (fraction) => {
      if (fraction - shown < 0.05 && fraction < 1) return;
      shown = fraction;
      this.setState(params.role, { state: 'loading', path: params.modelPath, fraction });
    };
  }

  private change<T>(run: () => Promise<T>): Promise<T> {
    const result = this.changes.then(run);
    this.changes = result.catch(() => undefined); // reported to the caller; the next change starts anyway
    return result;
  }

  private setState(role: ModelRole, state: RoleState): void {
    this.roleStates[role] = state;
    this.deps.onRoleState(role, state);
  }

  /** The instruction set is no part of what a state depends on: all of them store the same bytes. */
  private snapshots({ kind, llama, formatVersion }: Binding): SnapshotDeps {
    const { store, clock, logger } = this.deps;
    return { store, clock, logger, engine: { engine: `${kind} ${llama.llamaCppRelease.release} ${llama.gpu === false ? 'cpu' : llama.gpu}`, formatVersion } };
  }

  private binding(gpu: 'auto' | 'off'): Promise<Binding> {
    const known = this.bindings.get(gpu);
    if (known) return known;
    const made = gpu === 'off' ? this.binding('auto').then((usual) => withoutGpu(usual, this.llamaOptions)) : loadBinding({ stockOnly: this.deps.stockOnly, llama: this.llamaOptions });
    this.bindings.set(gpu, made);
    return made;
  }

  private readonly llamaOptions: BindingOptions['llama'] = {
    logLevel: LlamaLogLevel.info,
    logger: (level, message) => {
      this.kvLog?.feed(message);
      const severe = level === LlamaLogLevel.error || level === LlamaLogLevel.fatal || level === LlamaLogLevel.warn;
      this.deps.logger.log(severe ? 'warn' : 'debug', message.trimEnd());
    },
  };
}

/** The context may have become smaller than what was asked for: asking for what there is changes nothing either. */
const sameLoad = ({ params: a, loaded }: RoleRuntime, b: LoadParams): boolean =>
  a.role === b.role && a.modelPath === b.modelPath && (a.contextSize === b.contextSize || loaded.contextSize === b.contextSize) && a.kvPreset === b.kvPreset
  && a.threads === b.threads && a.gpu === b.gpu;
