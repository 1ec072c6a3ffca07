import { fileURLToPath } from 'node:url';
import type { SettingKey, SettingValue } from '../../protocol/settings.js';
import type { LoadedChat } from '../models/modelService.js';
import type { Trust } from '../trust.js';
import { memoryBudget, smallestBudget } from './memoryBudget.js';
import type { OffReason } from './memoryState.js';
import type { Target } from './rememberOnce.js';

export interface WantedFrom {
  readonly trust: Pick<Trust, 'granted'>;
  readonly settings: { get<K extends SettingKey>(key: K): SettingValue<K> };
  /** The chat model as this window has it; undefined while no local one is loaded. */
  readonly model: { readonly local: LoadedChat | undefined };
  /** Which tools of MCP servers a prompt in the folder with this URI begins with, before what is remembered; '' for none. */
  readonly serverTools?: { keyOf(uri: string): string };
}

export type Wanted = Target | { readonly state: 'off'; readonly why: OffReason } | { readonly state: 'cold' };

/** What is to be remembered for a chat in the folder with this URI, or why nothing is. */
export function wantedMemory({ settings, trust, model: { local }, serverTools }: WantedFrom, uri: string | undefined): Wanted {
  const off = (why: OffReason): Wanted => ({ state: 'off', why });
  if (!trust.granted) return off('untrusted');
  if (!settings.get('loupe.memory.enabled')) return off('setting');
  if (settings.get('loupe.model.chat') === 'endpoint') return off('endpoint');
  if (uri === undefined) return off('noFolder');
  if (local === undefined) return { state: 'cold' };
  const { path, fileBytes, kvPreset, kv, contextSize } = local.loaded;
  const budget = memoryBudget(contextSize, settings.get('loupe.memory.maxTokens'));
  if (budget < smallestBudget) return off('smallContext');
  const folder = fileURLToPath(uri);
  const tools = serverTools?.keyOf(uri) ?? '';
  return { key: JSON.stringify([folder, path, fileBytes, kvPreset, kv.keys, kv.values, contextSize, budget, ...(tools === '' ? [] : [tools])]), uri, folder, chat: local, budget };
}
