import { makeError } from '../base/errors.js';
import { err, ok, type Result } from '../base/result.js';
import type { ChatModel } from '../model/chatModel.js';
import { chooseModels, explicitFiles, type LocalChoice } from '../model/choose.js';
import { connectEndpoint } from '../model/endpoint/connectEndpoint.js';
import type { Engine } from '../model/engine.js';
import type { Hardware } from '../model/hardware.js';
import type { Installed } from '../model/installed.js';
import { engineStorage } from '../model/kvPresets.js';
import { hashRecords, modelsDirectory } from '../model/paths.js';
import { verifyModel } from '../model/verify.js';
import { settingDefaults } from '../protocol/settings.js';
import type { LoadedModel, RoleState, SidecarStatus } from '../protocol/sidecar.js';
import type { AskOptions } from './args.js';

export interface ConnectDeps {
  readonly engine: Engine;
  readonly apiKey: string | undefined;
  installed(files: readonly string[]): Promise<Installed>;
  hardware(): Promise<Hardware>;
  chatModel(loaded: LoadedModel): ChatModel;
}

/** The model that the options ask for: an endpoint, or a local one, loaded in the shared sidecar. */
export async function connect(deps: ConnectDeps, options: AskOptions, status: (text: string) => void, signal: AbortSignal): Promise<Result<ChatModel>> {
  if (options.endpoint !== undefined) {
    const model = options.model === 'auto' ? '' : options.model;
    const connected = await connectEndpoint({ url: options.endpoint, model, ...(deps.apiKey ? { apiKey: deps.apiKey } : {}) }, signal);
    return connected.ok ? ok(connected.value.model) : connected;
  }
  status('starting the sidecar');
  const now = await deps.engine.status();
  if (!now.ok) return now;
  const ready = now.value.roles.chat;
  // A model that another window uses is good enough, and taking it away would be rude.
  if (options.model === 'auto' && ready.state === 'ready') return ok(deps.chatModel(ready.model));
  const choice = await choose(deps, options, now.value);
  if (!choice.ok) return choice;
  const loaded = await load(deps, choice.value, ready, status, signal);
  return loaded.ok ? ok(deps.chatModel(loaded.value)) : loaded;
}

async function choose(deps: ConnectDeps, options: AskOptions, { rssBytes, engine }: SidecarStatus): Promise<Result<LocalChoice>> {
  const settings = { ...settingDefaults, 'loupe.model.chat': options.model, 'loupe.model.completion': 'auto' };
  const installed = await deps.installed(explicitFiles(settings));
  const { chat, chatProblem } = chooseModels({ settings, installed, hardware: await deps.hardware(), ownBytes: rssBytes, engine: engineStorage(engine) });
  if (chat) return ok(chat);
  return err(chatProblem ?? makeError('model.none', 'No chat model is installed.', 'Download one.'));
}

async function load(deps: ConnectDeps, choice: LocalChoice, ready: RoleState, status: (text: string) => void, signal: AbortSignal): Promise<Result<LoadedModel>> {
  if (choice.entry?.sha256) {
    const checked = await verifyModel(
      choice.path, choice.entry.sha256, signal, (done, total) => status(`checking ${choice.name}: ${percent(done / total)}`), hashRecords(choice.path, modelsDirectory()),
    );
    if (!checked.ok) return checked;
  }
  const listening = deps.engine.onRoleState(({ role, state }) => {
    if (role === 'chat' && state.state === 'loading') status(`loading ${choice.name}: ${percent(state.fraction)}`);
  });
  try {
    status(`loading ${choice.name}`);
    // The same file again keeps its context: loading it anew would throw away what is cached.
    const contextSize = ready.state === 'ready' && ready.model.path === choice.path ? ready.model.contextSize : choice.contextSize;
    return await deps.engine.load({
      role: 'chat', modelPath: choice.path, contextSize, threads: 'auto', gpu: settingDefaults['loupe.model.gpu'],
      kvPreset: settingDefaults['loupe.kv.preset'],
    }, signal);
  } finally {
    listening.dispose();
  }
}

const percent = (fraction: number): string => `${Math.round(fraction * 100)} %`;
