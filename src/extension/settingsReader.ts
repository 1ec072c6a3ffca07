import { type SettingDefinition, type SettingKey, settings, type SettingValue } from '../protocol/settings.js';

/** What VS Code knows about one setting, per level. */
export interface InspectedSetting {
  readonly globalValue?: unknown;
  readonly workspaceValue?: unknown;
  readonly workspaceFolderValue?: unknown;
}

/**
 * The value that counts. An application-scoped setting is read from the user level alone, whatever a workspace says. A
 * value of the wrong type or outside its range gives the default, or the nearest limit for numbers: settings files are
 * edited by hand.
 */
export function resolveSetting<K extends SettingKey>(key: K, inspected: InspectedSetting | undefined): SettingValue<K> {
  const definition: SettingDefinition = settings[key];
  const candidates = definition.scope === 'application'
    ? [inspected?.globalValue]
    : [inspected?.workspaceFolderValue, inspected?.workspaceValue, inspected?.globalValue];
  for (const candidate of candidates) {
    const value = accept(definition, candidate);
    if (value !== undefined) return value as SettingValue<K>;
  }
  return definition.default as SettingValue<K>;
}

function accept(definition: SettingDefinition, value: unknown): unknown {
  switch (definition.type) {
    case 'string':
      return typeof value === 'string' && (!definition.enum || definition.enum.includes(value)) ? value : undefined;
    case 'number':
      return typeof value === 'number' && Number.isFinite(value)
        ? Math.min(definition.maximum, Math.max(definition.minimum, value))
        : undefined;
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined;
    case 'object':
      if ('open' in definition) return isRecord(value) ? value : undefined;
      return isFlags(value) ? { ...definition.default, ...value } : undefined;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

const isFlags = (value: unknown): value is Record<string, boolean> => isRecord(value) && Object.values(value).every((flag) => typeof flag === 'boolean');
