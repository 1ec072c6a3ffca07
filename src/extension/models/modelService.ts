import type { Clock } from '../../base/clock.js';
import type { Disposable } from '../../base/disposable.js';
import { DisposableStore } from '../../base/disposable.js';
import { type LoupeError, makeError } from '../../base/errors.js';
import { Emitter } from '../../base/event.js';
import { err, ok, type Result } from '../../base/result.js';
import type { ChatModel, LocalModel } from '../../model/chatModel.js';
import type { Engine } from '../../model/engine.js';
import { tokens } from '../../model/fit.js';
import type { LoadedModel, LoadParams, RoleState } from '../../protocol/sidecar.js';
import type { SettingKey, SettingValue } from '../../protocol/settings.js';
import type { ModelBadge } from '../../protocol/views.js';
import type { Trust } from '../trust.js';
import { untilAborted } from './untilAborted.js';

/** A model file that was chosen for a role, and why. */
export interface ChosenModel {
  readonly path: string;
  readonly name: string;
  /** Tokens. */
  readonly contextSize: number;
  readonly reason: string;
  /** What the published file hashes to; absent where there is nothing to compare with. */
  readonly sha256?: string;
}

export interface ModelServiceDeps {
  readonly trust: Trust;
  readonly clock: Clock;
  readonly settings: { get<K extends SettingKey>(key: K): SettingValue<K> };
  readonly loadParams: (role: 'chat', path: string, contextSize: number) => LoadParams;
  /** Looks at the settings, the models folder and the machine. The error says what is wrong with what was asked for. */
  readonly choose: () => Promise<Result<ChosenModel>>;
  /** Whether the file is the published one; reads it whole the first time. */
  readonly check: (chosen: ChosenModel, onProgress: (fraction: number) => void, signal: AbortSignal) => Promise<Result<null>>;
  /** Starts or joins the sidecar on first use. */
  readonly engine: () => Promise<Engine>;
  readonly localModel: (engine: Engine, loaded: LoadedModel) => LocalModel;
  /** Contacts the endpoint. `contextSize` in tokens; 0: what the endpoint says. */
  readonly connect: (url: string, model: string, contextSize: number, signal: AbortSignal) => Promise<Result<{ readonly model: ChatModel; readonly contextReason: string }>>;
}

/** A chat model that is loaded in the sidecar. */
export interface LoadedChat { readonly model: LocalModel; readonly loaded: LoadedModel }

type State =
  | { readonly is: 'idle'; readonly name?: string }
  /** `fraction` is absent while nobody knows how far it is. */
  | { readonly is: 'checking' | 'loading'; readonly name: string; readonly fraction?: number }
  | { readonly is: 'ready'; readonly model: ChatModel; readonly detail: string; readonly local?: LoadedChat }
  | { readonly is: 'failed'; readonly name: string; readonly error: LoupeError };

const growAfterMs = 5 * 60_000;

/**
 * The chat model of this window: chosen from settings and machine, loaded into the sidecar when it is first needed, shown
 * as a badge. Nothing is started or contacted while the workspace is not trusted.
 */
export class ModelService implements Disposable {
  private readonly disposables = new DisposableStore();
  private readonly changed = this.disposables.add(new Emitter<void>());
  readonly onDidChange = this.changed.event;
  private state: State = { is: 'idle' };
  private download: { readonly name: string; readonly fraction: number } | undefined;
  private loading: Promise<Result<ChatModel>> | undefined;
  private preparing = new AbortController();
  private followed: Engine | undefined;
  private generation = 0;
  /** When a smaller context was last loaded for want of memory; monotonic milliseconds. */
  private reducedAt = 0;

  constructor(private readonly deps: ModelServiceDeps) {
    this.disposables.add(deps.trust.onGranted(() => this.changed.fire()));
  }

  /** The model, where it is loaded: never loads one. */
  get ready(): ChatModel | undefined {
    return this.state.is === 'ready' ? this.state.model : undefined;
  }

  get contextSize(): number {
    return this.state.is === 'ready' ? this.state.model.info.contextSize : 0;
  }

  /** The local model that answers now; undefined while none is loaded, and with an endpoint. */
  get local(): LoadedChat | undefined {
    return this.state.is === 'ready' ? this.state.local : undefined;
  }

  get badge(): ModelBadge {
    if (!this.deps.trust.granted) {
      return { state: 'untrusted', label: 'Restricted', detail: 'Loupe starts nothing until you trust this workspace.' };
    }
    if (this.download) {
      return { state: 'downloading', label: this.download.name, detail: `Downloading, ${Math.floor(this.download.fraction * 100)} %`, fraction: this.download.fraction };
    }
    switch (this.state.is) {
      case 'idle': return this.loading
        ? { state: 'loading', label: 'Loupe', detail: 'Looking for the model.' }
        : { state: 'idle', label: this.state.name ?? 'Loupe', detail: 'The model loads when you ask.' };
      case 'checking': case 'loading': {
        const { is, name, fraction } = this.state;
        return { state: is, label: name, detail: is === 'checking' ? 'Checking that the file is the published one' : 'Loading', ...(fraction === undefined ? {} : { fraction }) };
      }
      case 'ready': {
        const { name, kind } = this.state.model.info;
        return { state: kind === 'endpoint' ? 'remote' : 'ready', label: name, detail: this.state.detail };
      }
      case 'failed': {
        const { name, error: { code, message, next } } = this.state;
        return {
          state: code === 'model.none' ? 'none' : 'failed', label: code === 'model.none' ? 'No model' : name, detail: `${message} ${next}`,
          ...(code.startsWith('endpoint.') ? { endpoint: true } : {}),
        };
      }
    }
  }

  /** The model, loaded. Calls at the same time share one load; an aborted signal ends only the waiting. */
  async acquire(signal: AbortSignal): Promise<Result<ChatModel>> {
    if (!this.deps.trust.granted) {
      return err(makeError('workspace.untrusted', 'This workspace is not trusted.', 'Trust it to let Loupe start a model.'));
    }
    if (this.state.is === 'ready' && !this.mayGrow()) return ok(this.state.model);
    const { generation } = this;
    this.loading ??= this.prepare(signal).finally(() => {
      if (generation !== this.generation) return;
      this.loading = undefined;
      if (this.state.is === 'idle') this.changed.fire();
    });
    return untilAborted(this.loading, signal);
  }

  /** Forgets what was chosen, for example after a changed setting; the next {@link acquire} chooses and loads again. */
  reset(): void {
    if (this.state.is === 'checking') this.preparing.abort(); // what loads is wanted again more often than not, and the sidecar joins the two
    this.generation += 1;
    this.loading = undefined;
    this.set({ is: 'idle' });
  }

  /** Ends checking and loading. Whoever waits for the model is told so; the next {@link acquire} begins again. */
  cancel(): void {
    if (this.loading && this.state.is !== 'ready') this.preparing.abort();
  }

  /** Shows a download in the badge; undefined ends it. */
  showDownload(download: { readonly name: string; readonly fraction: number } | undefined): void {
    this.download = download;
    this.changed.fire();
  }

  dispose(): void {
    this.preparing.abort();
    this.generation += 1;
    this.disposables.dispose();
  }

  private async prepare(signal: AbortSignal): Promise<Result<ChatModel>> {
    const { generation, state: before } = this;
    this.preparing = new AbortController();
    const stop = this.preparing.signal;
    const result = this.deps.settings.get('loupe.model.chat') === 'endpoint' ? await this.contact(AbortSignal.any([signal, stop])) : await this.load(stop);
    if (generation !== this.generation || result.ok) return result;
    if (before.is === 'ready') { // it could not grow, and the smaller one still works
      this.reducedAt = this.deps.clock.monotonic();
      this.set(before);
      return ok(before.model);
    }
    this.set(result.error.code === 'cancelled' ? { is: 'idle', name: this.name } : { is: 'failed', name: this.name, error: result.error });
    return result;
  }

  private async contact(signal: AbortSignal): Promise<Result<ChatModel>> {
    const { settings } = this.deps;
    const { generation } = this;
    const url = settings.get('loupe.endpoint.url');
    if (url === '') {
      return err(makeError('endpoint.unreachable', 'No endpoint address is set.', 'Set "loupe.endpoint.url" in your user settings, or choose another model.'));
    }
    this.set({ is: 'loading', name: 'Endpoint' });
    const connected = await this.deps.connect(url, settings.get('loupe.endpoint.model'), settings.get('loupe.model.contextSize'), signal);
    if (!connected.ok) return connected;
    const { model, contextReason } = connected.value;
    if (generation === this.generation) {
      this.set({ is: 'ready', model, detail: `${url} · ${tokens(model.info.contextSize)} · ${contextReason}` });
    }
    return ok(model);
  }

  private async load(stop: AbortSignal): Promise<Result<ChatModel>> {
    const { generation } = this;
    const show = (state: State): void => {
      if (generation === this.generation) this.set(state);
    };
    const chosen = await this.deps.choose();
    if (!chosen.ok) return chosen;
    const { name, path, contextSize, reason } = chosen.value;
    show({ is: 'loading', name, fraction: 0 });
    const sound = await this.deps.check(chosen.value, (fraction) => show({ is: 'checking', name, fraction }), stop);
    if (!sound.ok) return sound;
    show({ is: 'loading', name, fraction: 0 });
    const engine = await this.deps.engine();
    this.follow(engine);
    const loaded = await engine.load(await this.adopt(engine, this.deps.loadParams('chat', path, contextSize)), stop);
    if (!loaded.ok) return loaded;
    const ready = this.readyState(engine, { ...loaded.value, name }, reason); // the file may call itself something else: one model has one name, the one of the list
    if (generation === this.generation) this.set(ready);
    return ok(ready.model);
  }

  private readyState(engine: Engine, loaded: LoadedModel, reason: string): State & { is: 'ready' } {
    const { kvPreset, kv: { keys, values }, kvNote, contextSize, reducedFrom } = loaded;
    if (reducedFrom !== undefined) this.reducedAt = this.deps.clock.monotonic();
    const kv = `${kvPreset} (${keys === values ? keys : `${keys}/${values}`})`;
    const why = reducedFrom === undefined ? reason : `Memory ran out with ${tokens(reducedFrom)}; they come back when it is free again, or with "Loupe: Restart Sidecar".`;
    const model = this.deps.localModel(engine, loaded);
    return { is: 'ready', model, detail: [kv, tokens(contextSize), why, kvNote].filter(Boolean).join(' · '), local: { model, loaded } };
  }

  /** After memory ran out the larger context is tried again, but not at once: what took the memory may still be about to. */
  private mayGrow(): boolean {
    return this.state.is === 'ready' && this.state.local?.loaded.reducedFrom !== undefined && this.deps.clock.monotonic() - this.reducedAt > growAfterMs;
  }

  /**
   * What is loaded already, by another window for example, is taken as it is: a context that is a little larger because
   * memory was freed is not worth loading the model again and losing every cached prefix.
   */
  private async adopt(engine: Engine, params: LoadParams): Promise<LoadParams> {
    if (this.deps.settings.get('loupe.model.contextSize') !== 0) return params;
    const status = await engine.status();
    const chat = status.ok ? status.value.roles.chat : undefined;
    if (chat?.state !== 'ready') return params;
    const { path, kvPreset, contextSize, reducedFrom } = chat.model;
    if (reducedFrom !== undefined && Number(params.contextSize) >= reducedFrom) return params; // memory is free again
    return path === params.modelPath && kvPreset === params.kvPreset ? { ...params, contextSize } : params;
  }

  private follow(engine: Engine): void {
    if (this.followed === engine) return;
    this.followed = engine;
    this.disposables.add(engine.onRoleState(({ role, state }) => {
      if (role === 'chat') this.onRoleState(engine, state);
    }));
  }

  /** What people call the model that is loading or loaded. */
  private get name(): string {
    switch (this.state.is) {
      case 'checking': case 'loading': return this.state.name;
      case 'ready': return this.state.model.info.name;
      case 'failed': return this.state.name;
      case 'idle': return this.state.name ?? 'The model';
    }
  }

  private onRoleState(engine: Engine, state: RoleState): void {
    if (state.state === 'loading' && this.state.is === 'loading') this.set({ ...this.state, fraction: state.fraction });
    if (state.state === 'ready' && this.state.is === 'ready' && this.state.local?.loaded.contextSize !== state.model.contextSize) {
      this.set(this.readyState(engine, { ...state.model, name: this.name }, 'Loaded anew.'));
    }
    if (state.state === 'failed' && this.state.is === 'ready') this.set({ is: 'failed', name: this.name, error: state.error });
    if (state.state === 'empty' && this.state.is === 'ready') this.set({ is: 'idle' });
  }

  private set(state: State): void {
    this.state = state;
    this.changed.fire();
  }
}
