import { makeError } from '../../../src/base/errors.js';
import { Emitter } from '../../../src/base/event.js';
import { silentLogger } from '../../../src/base/logger.js';
import { err, ok, type Result } from '../../../src/base/result.js';
import { RepositoryMemory } from '../../../src/extension/memory/repositoryMemory.js';
import type { RepositoryIndexClient } from '../../../src/extension/memory/contextClient.js';
import type { MemoryState } from '../../../src/extension/memory/memoryState.js';
import type { LoadedChat } from '../../../src/extension/models/modelService.js';
import type { LocalModel } from '../../../src/model/chatModel.js';
import type { EngineMemory, GenerateHandlers } from '../../../src/model/engine.js';
import type { IndexState, MemoryPlan, PlanParams } from '../../../src/protocol/context.js';
import type { MemoryList, RememberResult, SnapshotInfo } from '../../../src/protocol/memory.js';
import { settingDefaults, type SettingKey, type SettingValues } from '../../../src/protocol/settings.js';
import type { RememberParams } from '../../../src/protocol/sidecar.js';
import { FakeTime } from '../agent/support/fakeTime.js';

export const cancelled = err(makeError('cancelled', 'Cancelled.', ''));
export const kv = { keys: 'f16', values: 'f16', windowF16: true, f16Rows: 0 } as const;
const noStats = { reused: 0, restored: 0, prefilled: 0, restoreMs: 0, prefillMs: 0, saveMs: 0, engineSaveMs: 0 };

/** A loaded model of this context. */
export function chat(contextSize: number, path = '/m.gguf'): LoadedChat {
  const model = { info: { name: 'M', kind: 'local', contextSize }, prefix: () => [] } as unknown as LocalModel;
  return {
    model,
    loaded: {
      role: 'chat', path, name: 'M', architecture: 'qwen2', fileBytes: 1, trainContext: 32_768, contextSize, kvPreset: 'exact', kv, kvBytesTotal: 1, gpuLayers: 0, fillInMiddle: false, loadMs: 1,
    },
  };
}

export function plan(...texts: readonly string[]): MemoryPlan {
  const blocks = texts.map((text, index) => ({ kind: 'file' as const, text, tokens: 100, chain: texts.slice(0, index + 1).join('>') }));
  return { mode: 'whole', blocks, tokens: 100 * texts.length, unchangedBlocks: 0, unchangedTokens: 0, files: { indexed: texts.length, whole: texts.length, mapped: 0 } };
}

/** A sidecar that keeps states; reading takes until the test says so. */
export class ScriptedSidecar implements EngineMemory {
  readonly remembered: RememberParams[] = [];
  states: SnapshotInfo[] = [];
  budget = 0;
  restores = 0;
  /** The running request: progress, and its end. */
  progress: (phase: 'restore' | 'prefill', done: number, total: number) => void = () => undefined;
  finish: (result?: Result<RememberResult>) => void = () => undefined;

  remember(params: RememberParams, handlers: Pick<GenerateHandlers, 'onProgress'>, signal: AbortSignal): Promise<Result<RememberResult>> {
    this.remembered.push(params);
    const tokens = this.tokensOf(params.prompt);
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve(cancelled), { once: true });
      this.progress = (phase, done, total) => handlers.onProgress?.({ id: params.id, phase, done, total });
      this.finish = (result) => {
        const state = { memory: params.memory, model: 'm', kv, tokens, bytes: tokens * 10, f16Bytes: tokens * 30, createdAt: 0, lastUsedAt: 0 };
        if (result === undefined) this.states = [...this.states.filter(({ memory }) => memory !== params.memory), state];
        resolve(result ?? ok({ stats: { ...noStats, tokens }, saved: [state] }));
      };
    });
  }

  restore({ prompt }: { prompt: RememberParams['prompt'] }): ReturnType<EngineMemory['restore']> {
    this.restores += 1;
    const tokens = this.tokensOf(prompt);
    return Promise.resolve(ok({ ...noStats, tokens, reused: this.states.some((state) => state.tokens === tokens) ? tokens : 0 }));
  }

  list(): Promise<Result<MemoryList>> {
    return Promise.resolve(ok({ snapshots: this.states, bytes: 0, budgetBytes: this.budget }));
  }

  forget(memory?: string): ReturnType<EngineMemory['forget']> {
    const before = this.states.length;
    this.states = this.states.filter((state) => state.memory !== memory);
    return Promise.resolve(ok({ snapshots: before - this.states.length, bytes: 0 }));
  }

  setBudget(bytes: number): Promise<Result<MemoryList>> {
    this.budget = bytes;
    return this.list();
  }

  private tokensOf(prompt: RememberParams['prompt']): number {
    return 50 + 100 * prompt.length;
  }
}

/** A window whose parts are in the test's hands. */
export class Window {
  readonly time = new FakeTime();
  readonly sidecar: ScriptedSidecar;
  readonly shown: string[] = [];
  readonly plans: PlanParams[] = [];
  readonly forgotten: string[] = [];
  readonly activity = new Emitter<void>();
  readonly look = new Emitter<void>();
  readonly filesChanged = new Emitter<readonly string[]>();
  readonly indexState = new Emitter<{ readonly folder: string } & IndexState>();
  readonly serverStarted = new Emitter<void>();
  readonly modelChanged = new Emitter<void>();
  readonly folderChanged = new Emitter<void>();
  readonly toolsChanged = new Emitter<void>();
  /** Of MCP servers, as the memory tells them apart. */
  tools = '';
  readonly settingsChanged = new Emitter<ReadonlySet<SettingKey>>();
  values: SettingValues = { ...settingDefaults, 'loupe.memory.enabled': true };
  trusted = true;
  local: LoadedChat | undefined;
  folder: string | undefined = 'file:///code/app';
  battery = false;
  batteryLooks = 0;
  /** What the index answers; set to a promise, the test decides when. */
  answer: (params: PlanParams) => Result<MemoryPlan> | Promise<Result<MemoryPlan>> = () => ok(plan('a', 'b'));
  readonly index: RepositoryIndexClient;
  readonly memory: RepositoryMemory;
  private ids = 0;

  constructor(sidecar = new ScriptedSidecar(), setUp: (window: Window) => void = () => undefined) {
    this.sidecar = sidecar;
    setUp(this);
    this.index = {
      onStarted: this.serverStarted.event, onIndexState: this.indexState.event, onFilesChanged: this.filesChanged.event,
      plan: async (params, signal) => {
        this.plans.push(params);
        const answer = await this.answer(params);
        return signal.aborted ? cancelled : answer;
      },
      forget: (folder) => {
        this.forgotten.push(folder);
        return Promise.resolve(ok(null));
      },
    };
    const of = <T>(value: () => T): T => value();
    this.memory = new RepositoryMemory({
      trust: { ...{ onGranted: new Emitter<void>().event }, granted: of(() => this.trusted) },
      settings: { get: (key) => this.values[key], onDidChange: this.settingsChanged.event },
      model: Object.defineProperty({ onDidChange: this.modelChanged.event } as { local: LoadedChat | undefined; onDidChange: Emitter<void>['event'] }, 'local', { get: () => this.local }),
      folder: Object.defineProperty({ onDidChange: this.folderChanged.event } as { current: string | undefined; onDidChange: Emitter<void>['event'] }, 'current', { get: () => this.folder }),
      serverTools: { keyOf: () => this.tools, onDidChange: this.toolsChanged.event },
      index: this.index,
      prefixes: () => Promise.resolve(this.sidecar),
      prompt: (_model, _folder, { blocks }) => blocks.map((text) => ({ text, control: false, border: true })),
      onBattery: () => {
        this.batteryLooks += 1;
        return Promise.resolve(this.battery);
      },
      onActivity: this.activity.event, onLook: this.look.event,
      clock: this.time, timers: this.time, newId: () => `id-${(this.ids += 1)}`, logger: silentLogger,
    });
    this.memory.onDidChange((state) => this.shown.push(inShort(state)));
  }

  get state(): string {
    return inShort(this.memory.state);
  }

  load(model = chat(8_192)): void {
    this.local = model;
    this.modelChanged.fire();
  }

  unload(): void {
    this.local = undefined;
    this.modelChanged.fire();
  }

  /** Lets time pass, and what it sets off run. */
  async after(ms: number): Promise<void> {
    await settle();
    this.time.advance(ms);
    await settle();
  }

  /** Loaded, left alone, read. */
  async becomeWarm(): Promise<void> {
    this.load();
    await this.after(5_000);
    this.sidecar.finish();
    await settle();
  }
}

export const settle = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
};

export function inShort(state: MemoryState): string {
  switch (state.state) {
    case 'off': return `off ${state.why}`;
    case 'waiting': return `waiting ${state.until}`;
    case 'indexing': case 'warming': return `${state.state} ${state.done}/${state.total}`;
    case 'warm': return `warm ${state.tokens}`;
    case 'failed': return `failed ${state.error.code}`;
    case 'cold': return 'cold';
  }
}
