import type { JsonSchema, ToolDefinition } from '../../protocol/chat.js';
import type { PromptBuilder } from './promptBuilder.js';

/** Gemma 4's notation for declarations, arguments and results: like JSON, with bare keys in sorted order and strings between quote tokens. */
const quote = '<|"|>';

/** The order of Jinja's `dictsort`, which the family's template uses: by lower-cased key. */
export const sortedKeys = (record: Readonly<Record<string, unknown>>): string[] =>
  Object.keys(record).sort((a, b) => compare(a.toLowerCase(), b.toLowerCase()));

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export function writeString(prompt: PromptBuilder, text: string): void {
  prompt.control(quote).text(text).control(quote);
}

export function writeValue(prompt: PromptBuilder, value: unknown, quotedKeys = false): void {
  if (typeof value === 'string') writeString(prompt, value);
  else if (Array.isArray(value)) {
    prompt.control('[');
    writeList(prompt, value, (item) => writeValue(prompt, item, quotedKeys));
    prompt.control(']');
  } else if (isRecord(value)) {
    prompt.control('{');
    writeFields(prompt, value, quotedKeys);
    prompt.control('}');
  } else prompt.word(value === null || value === undefined ? 'None' : JSON.stringify(value));
}

/** `key:value,key:value`, sorted by key. */
export function writeFields(prompt: PromptBuilder, record: Readonly<Record<string, unknown>>, quotedKeys = false): void {
  writeList(prompt, sortedKeys(record), (key) => {
    if (quotedKeys) writeString(prompt, key);
    else prompt.word(key);
    prompt.control(':');
    writeValue(prompt, record[key], quotedKeys);
  });
}

/** `declaration:name{description:...,parameters:{...}}`. */
export function writeDeclaration(prompt: PromptBuilder, tool: ToolDefinition): void {
  prompt.control('declaration:').word(tool.name).control('{description:');
  writeString(prompt, tool.description);
  const { properties, required, type } = tool.parameters;
  prompt.control(',parameters:{');
  if (isRecord(properties) && Object.keys(properties).length > 0) {
    prompt.control('properties:{');
    writeProperties(prompt, properties);
    prompt.control('},');
  }
  if (Array.isArray(required) && required.length > 0) {
    writeRequired(prompt, required);
    prompt.control(',');
  }
  prompt.control('type:');
  writeString(prompt, typeName(type ?? 'object'));
  prompt.control('}}');
}

/** Names that the template takes for schema keywords wherever they stand, and so leaves out as properties. */
const standardKeys = new Set(['description', 'type', 'properties', 'required', 'nullable']);

function writeProperties(prompt: PromptBuilder, properties: Readonly<Record<string, unknown>>): void {
  writeList(prompt, sortedKeys(properties).filter((key) => !standardKeys.has(key)), (key) => {
    const property = properties[key];
    prompt.word(key).control(':{');
    writeProperty(prompt, isRecord(property) ? property : {});
    prompt.control('}');
  });
}

function writeProperty(prompt: PromptBuilder, property: JsonSchema): void {
  const { description, type, enum: options, items, nullable, properties, required } = property;
  const field = (name: string, write: () => void): void => {
    prompt.control(`${name}:`);
    write();
    prompt.control(',');
  };
  const name = typeName(type);
  if (typeof description === 'string' && description !== '') field('description', () => writeString(prompt, description));
  if (name === 'STRING' && Array.isArray(options)) field('enum', () => writeValue(prompt, options, true));
  if (name === 'ARRAY' && isRecord(items) && Object.keys(items).length > 0) {
    field('items', () => {
      prompt.control('{');
      writeItems(prompt, items);
      prompt.control('}');
    });
  }
  if (nullable === true) prompt.control('nullable:true,');
  if (name === 'OBJECT') {
    field('properties', () => {
      prompt.control('{');
      writeProperties(prompt, isRecord(properties) ? properties : property);
      prompt.control('}');
    });
    if (Array.isArray(required) && required.length > 0) {
      writeRequired(prompt, required);
      prompt.control(',');
    }
  }
  prompt.control('type:');
  writeString(prompt, name);
}

function writeItems(prompt: PromptBuilder, items: JsonSchema): void {
  writeList(prompt, sortedKeys(items).filter((key) => items[key] !== null), (key) => {
    const value = items[key];
    if (key === 'required' && Array.isArray(value)) return writeRequired(prompt, value);
    prompt.word(key).control(':');
    if (key === 'properties') {
      prompt.control('{');
      if (isRecord(value)) writeProperties(prompt, value);
      prompt.control('}');
    } else if (key === 'type') writeValue(prompt, typeName(value));
    else writeValue(prompt, value, true);
  });
}

function writeRequired(prompt: PromptBuilder, required: readonly unknown[]): void {
  prompt.control('required:[');
  writeList(prompt, required, (name) => writeString(prompt, String(name)));
  prompt.control(']');
}

function writeList<T>(prompt: PromptBuilder, items: readonly T[], write: (item: T) => void): void {
  for (const [index, item] of items.entries()) {
    if (index > 0) prompt.control(',');
    write(item);
  }
}

const typeName = (type: unknown): string => (typeof type === 'string' ? type.toUpperCase() : '');

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
