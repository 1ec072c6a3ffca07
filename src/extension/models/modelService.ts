import type { Disposable } from '../../base/disposable.js';
import { DisposableStore } from '../../base/disposable.js';
import { type LoupeError, makeError } from '../../base/errors.js';
import { Emitter } from '../../base/event.js';
import { err, ok, type Result } from '../../base/result.js';
import type { ChatModel } from '../../model/chatModel.js';
import type { Engine } from '../../model/engine.js';
import type { LoadedModel, LoadParams, RoleState } from '../../protocol/sidecar.js';
import type { SettingKey, SettingValue } from '../../protocol/settings.js';
import type { ModelBadge } from '../../protocol/views.js';
import type { Trust } from '../trust.js';

/** A model file that was chosen for a role, and why. */
export interface ChosenModel {
  readonly path: string;
  readonly name: string;
  /** Tokens. */
  readonly contextSize: number;
  readonly reason: string;
}

export interface ModelServiceDeps {
  readonly trust: Trust;
  readonly settings: { get<K extends SettingKey>(key: K): SettingValue<K> };
  readonly loadParams: (role: 'chat', path: string, contextSize: number) => LoadParams;
  /** Looks at the settings, the models folder and the machine. The error says what is wrong with what was asked for. */
  readonly choose: () => Promise<Result<ChosenModel>>;
  /** Starts or joins the sidecar on first use. */
  readonly engine: () => Promise<Engine>;
  readonly localModel: (engine: Engine, loaded: LoadedModel) => ChatModel;
  /** Contacts the endpoint. `contextSize` in tokens; 0: what the endpoint says. */
  readonly connect: (url: string, model: string, contextSize: number, signal: AbortSignal) => Promise<Result<{ readonly model: ChatModel; readonly contextReason: string }>>;
}

type State =
  | { readonly is: 'idle' }
  | { readonly is: 'loading'; readonly name: string; readonly fraction: number }
  | { readonly is: 'ready'; readonly model: ChatModel; readonly detail: string }
  | { readonly is: 'failed'; readonly name: string; readonly error: LoupeError };

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
  private followed: Engine | undefined;
  private generation = 0;

  constructor(private readonly deps: ModelServiceDeps) {
    this.disposables.add(deps.trust.onGranted(() => this.changed.fire()));
  }

  get contextSize(): number {
    return this.state.is === 'ready' ? this.state.model.info.contextSize : 0;
  }

  get badge(): ModelBadge {
    if (!this.deps.trust.granted) {
      return { state: 'untrusted', label: 'Restricted', detail: 'Loupe starts nothing until you trust this workspace.' };
    }
    if (this.download) {
      return { state: 'downloading', label: this.download.name, detail: `Downloading, ${Math.floor(this.download.fraction * 100)} %`, fraction: this.download.fraction };
    }
    switch (this.state.is) {
      case 'idle': return { state: 'loading', label: 'Loupe', detail: 'The model loads when it is needed.' };
      case 'loading': return { state: 'loading', label: this.state.name, detail: 'Loading', fraction: this.state.fraction };
      case 'ready': {
        const { name, kind } = this.state.model.info;
        return { state: kind === 'endpoint' ? 'remote' : 'ready', label: name, detail: this.state.detail };
      }
      case 'failed': {
        const { name, error: { code, message, next } } = this.state;
        return { state: code === 'model.none' ? 'none' : 'failed', label: code === 'model.none' ? 'No model' : name, detail: `${message} ${next}` };
      }
    }
  }

  /** The model, loaded. Calls at the same time share one load; an aborted signal ends only the waiting. */
  async acquire(signal: AbortSignal): Promise<Result<ChatModel>> {
    if (!this.deps.trust.granted) {
      return err(makeError('workspace.untrusted', 'This workspace is not trusted.', 'Trust it to let Loupe start a model.'));
    }
    if (this.state.is === 'ready') return ok(this.state.model);
    const { generation } = this;
    this.loading ??= this.prepare(signal).finally(() => {
      if (generation === this.generation) this.loading = undefined;
    });
    return untilAborted(this.loading, signal);
  }

  /** Forgets what was chosen, for example after a changed setting; the next {@link acquire} chooses and loads again. */
  reset(): void {
    this.generation += 1;
    this.loading = undefined;
    this.set({ is: 'idle' });
  }

  /** Shows a download in the badge; undefined ends it. */
  showDownload(download: { readonly name: string; readonly fraction: number } | undefined): void {
    this.download = download;
    this.changed.fire();
  }

  dispose(): void {
    this.generation += 1;
    this.disposables.dispose();
  }

  private async prepare(signal: AbortSignal): Promise<Result<ChatModel>> {
    const { generation } = this;
    const result = this.deps.settings.get('loupe.model.chat') === 'endpoint' ? await this.contact(signal) : await this.load();
    if (generation === this.generation && !result.ok) this.set({ is: 'failed', name: this.name, error: result.error });
    return result;
  }

  private async contact(signal: AbortSignal): Promise<Result<ChatModel>> {
    const { settings } = this.deps;
    const { generation } = this;
    const url = settings.get('loupe.endpoint.url');
    if (url === '') {
      return err(makeError('endpoint.unreachable', 'No endpoint address is set.', 'Set "loupe.endpoint.url" in your user settings, or choose another model.'));
    }
    this.set({ is: 'loading', name: 'Endpoint', fraction: 0 });
    const connected = await this.deps.connect(url, settings.get('loupe.endpoint.model'), settings.get('loupe.model.contextSize'), signal);
    if (!connected.ok) return connected;
    const { model, contextReason } = connected.value;
    if (generation === this.generation) {
      this.set({ is: 'ready', model, detail: `${url} · ${model.info.contextSize.toLocaleString('en-US')} tokens · ${contextReason}` });
    }
    return ok(model);
  }

  private async load(): Promise<Result<ChatModel>> {
    const { generation } = this;
    const chosen = await this.deps.choose();
    if (!chosen.ok) return chosen;
    const { name, path, contextSize, reason } = chosen.value;
    this.set({ is: 'loading', name, fraction: 0 });
    const engine = await this.deps.engine();
    this.follow(engine);
    const loaded = await engine.load(await this.adopt(engine, this.deps.loadParams('chat', path, contextSize)));
    if (!loaded.ok) return loaded;
    // The file may call itself something else: one model has one name, the one of the list.
    const model = this.deps.localModel(engine, { ...loaded.value, name });
    const { kvKeys, kvValues } = loaded.value;
    const kv = kvKeys === kvValues ? kvKeys : `${kvKeys}/${kvValues}`;
    if (generation === this.generation) {
      this.set({ is: 'ready', model, detail: `${kv} · ${loaded.value.contextSize.toLocaleString('en-US')} tokens · ${reason}` });
    }
    return ok(model);
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
    const { path, kvKeys, kvValues, contextSize } = chat.model;
    return path === params.modelPath && kvKeys === params.kvKeys && kvValues === params.kvValues ? { ...params, contextSize } : params;
  }

  private follow(engine: Engine): void {
    if (this.followed === engine) return;
    this.followed = engine;
    this.disposables.add(engine.onRoleState(({ role, state }) => {
      if (role === 'chat') this.onRoleState(state);
    }));
  }

  /** What people call the model that is loading or loaded. */
  private get name(): string {
    switch (this.state.is) {
      case 'loading': return this.state.name;
      case 'ready': return this.state.model.info.name;
      case 'failed': return this.state.name;
      case 'idle': return 'The model';
    }
  }

  private onRoleState(state: RoleState): void {
    if (state.state === 'loading' && this.state.is === 'loading') this.set({ ...this.state, fraction: state.fraction });
    if (state.state === 'failed' && this.state.is === 'ready') this.set({ is: 'failed', name: this.name, error: state.error });
    if (state.state === 'empty' && this.state.is === 'ready') this.set({ is: 'idle' });
  }

  private set(state: State): void {
    this.state = state;
    this.changed.fire();
  }
}

async function untilAborted<T>(work: Promise<Result<T>>, signal: AbortSignal): Promise<Result<T>> {
  if (signal.aborted) return err(cancelled);
  let stop = (): void => undefined;
  const aborted = new Promise<Result<T>>((resolve) => {
    stop = () => resolve(err(cancelled));
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

const cancelled = makeError('cancelled', 'Cancelled.', 'Ask again when you are ready.');
