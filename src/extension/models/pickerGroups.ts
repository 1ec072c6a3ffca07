import path from 'node:path';
import type { LoupeError } from '../../base/errors.js';
import type { CatalogueEntry } from '../../model/catalogue.js';
import { size, tokens } from '../../model/fit.js';
import { presets } from '../../model/kvPresets.js';
import { displayName, type InstalledModel } from '../../model/installed.js';
import { expandHome } from '../../model/paths.js';
import type { KvPreset } from '../../protocol/kv.js';
import type { ModelOffer, OtherOffer } from './modelLibrary.js';

/** What choosing an entry of the model picker does. */
export type PickerAction =
  | { readonly kind: 'use'; readonly setting: string }
  | { readonly kind: 'download' | 'downloadAnyway'; readonly entry: CatalogueEntry }
  | { readonly kind: 'explain'; readonly error: LoupeError }
  | { readonly kind: 'usePreset'; readonly preset: KvPreset }
  | { readonly kind: 'chooseFile' | 'useEndpoint' };

export interface PickerItem {
  /** Name of a codicon. */
  readonly icon: string;
  readonly label: string;
  readonly description?: string;
  readonly detail?: string;
  readonly action: PickerAction;
}

/** The first group has no heading. */
export interface PickerGroup { readonly label: string; readonly items: readonly PickerItem[] }

/** What the model picker shows, in order, without empty groups. `current`: the setting `loupe.model.chat`. Pure. */
export function pickerGroups(offer: ModelOffer, others: readonly OtherOffer[], current: string): readonly PickerGroup[] {
  const foreign = new Set(others.map(({ model }) => model.path));
  const own = offer.installed.models.filter((m) => !foreign.has(m.path) && (m.entry === undefined || m.entry.roles.includes('chat')));
  const groups: readonly PickerGroup[] = [
    { label: '', items: [automatic(offer, others, current)] },
    { label: 'Installed', items: own.map((m) => installedItem(m, settingOf(m, offer.directory), current)) },
    { label: 'Downloaded by other programs', items: others.map((other) => otherItem(other, current)) },
    { label: 'Download', items: offer.downloads.map(({ entry, fit, reason, keptBytes }): PickerItem => ({
      icon: 'cloud-download', label: entry.name,
      description: `${size(entry.sizeBytes)} download${keptBytes > 0 ? `, ${size(keptBytes)} are here already` : ''}, ${tokens(fit.contextSize)} of context, ${entry.licence.name}`,
      detail: `${entry.description} ${reason}`, action: { kind: 'download', entry },
    })) },
    { label: 'How the conversation is kept in memory (KV cache)', items: offer.presets.map(({ preset, contextSize, current: chosen }): PickerItem => ({
      icon: chosen ? 'check' : 'archive', label: preset, description: `${tokens(contextSize)} of context`, detail: presets[preset].description,
      action: { kind: 'usePreset', preset },
    })) },
    { label: 'Other', items: [
      { icon: 'folder-opened', label: 'Choose a GGUF File...', action: { kind: 'chooseFile' } },
      { icon: current === 'endpoint' ? 'check' : 'cloud', label: 'Use an OpenAI-Compatible Endpoint...', action: { kind: 'useEndpoint' } },
    ] },
    { label: 'Too large for this machine', items: offer.tooLarge.map((entry): PickerItem => ({
      icon: 'circle-slash', label: entry.name, description: `${size(entry.sizeBytes)}, does not fit this machine`, detail: entry.description,
      action: { kind: 'downloadAnyway', entry },
    })) },
    { label: 'Cannot be used', items: offer.installed.broken.map(({ path: file, error }): PickerItem => ({
      icon: 'error', label: file, detail: `${error.message} ${error.next}`, action: { kind: 'explain', error },
    })) },
  ];
  return groups.filter(({ items }) => items.length > 0);
}

/** Only what Loupe installed is chosen by itself; where there is nothing of it, the user is told what else is there. */
function automatic({ choice }: ModelOffer, others: readonly OtherOffer[], current: string): PickerItem {
  const chosen = current === 'auto' ? choice.chat : undefined;
  const nothing = choice.chatProblem?.code === 'model.none' && others.length > 0;
  return {
    icon: current === 'auto' ? 'check' : 'wand', label: 'Automatic',
    description: chosen?.name ?? (nothing ? 'nothing is installed yet' : 'the best installed model that fits'),
    ...(chosen ? { detail: chosen.reason } : nothing ? { detail: 'A model that another program has downloaded can be used: choose one below.' } : {}),
    action: { kind: 'use', setting: 'auto' },
  };
}

function installedItem(model: InstalledModel, setting: string, current: string): PickerItem {
  return {
    icon: isCurrent(setting, current) ? 'check' : 'package', label: displayName(model),
    description: `${size(model.fileBytes)}, up to ${tokens(model.shape.trainContext)}`,
    detail: model.entry?.description ?? model.path, action: { kind: 'use', setting },
  };
}

function otherItem({ app, name, model, fit }: OtherOffer, current: string): PickerItem {
  return {
    icon: isCurrent(model.path, current) ? 'check' : fit.fits ? 'package' : 'circle-slash', label: displayName(model),
    description: `${app}: ${name}`,
    detail: `${size(model.fileBytes)}, ${fit.fits ? `${tokens(fit.contextSize)} of context` : 'does not fit this machine'}. ${model.path}`,
    action: { kind: 'use', setting: model.path },
  };
}

/** The catalogue's id stands for a file in the models folder; one that lies elsewhere is named by its path. */
function settingOf(model: InstalledModel, directory: string): string {
  return model.entry !== undefined && path.dirname(model.path) === directory ? model.entry.id : model.path;
}

const isCurrent = (setting: string, current: string): boolean =>
  setting === current || (path.isAbsolute(setting) && path.resolve(expandHome(current)) === setting);
