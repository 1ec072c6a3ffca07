import { revealHidden } from '../../base/hiddenText.js';
import type { JsonSchema } from '../../protocol/chat.js';

/** Characters for the model: every tool of a prompt is read before every answer. */
const longestDescription = 600;
const longestPart = 200;
const longestSchema = 4_000;
const deepest = 6;

const kept = new Set(['type', 'enum', 'const', 'required', 'minimum', 'maximum', 'minItems', 'maxItems', 'minLength', 'maxLength']);
const alternatives = new Set(['anyOf', 'oneOf']);

/** On one line, without what cannot be seen, and short. */
export const plainText = (text: string, longest = longestDescription): string => {
  const line = revealHidden(text).text.replace(/\s+/g, ' ').trim();
  return line.length > longest ? `${line.slice(0, longest)}…` : line;
};

/** A schema of a stranger, for a prompt: the parts that say how to call, and nothing that is long, deep or cannot be seen. */
export function promptSchema(schema: JsonSchema): JsonSchema {
  const lean = part(schema, schema, 0);
  const whole: JsonSchema = lean['type'] === 'object' ? lean : { type: 'object' };
  return JSON.stringify(whole).length > longestSchema ? { type: 'object' } : whole;
}

function part(value: unknown, root: JsonSchema, depth: number): JsonSchema {
  if (!isRecord(value) || depth > deepest) return {};
  const { $ref } = value;
  if (typeof $ref === 'string') return part(referred($ref, root), root, depth + 1);
  return Object.fromEntries(Object.entries(value).flatMap(([key, inner]): [string, unknown][] => {
    if (key === 'description' && typeof inner === 'string') return [[key, plainText(inner, longestPart)]];
    if (key === 'properties' && isRecord(inner)) return [[key, Object.fromEntries(Object.entries(inner).filter(([name]) => isVisible(name)).map(([name, one]) => [name, part(one, root, depth + 1)]))]];
    if (key === 'items') return [[key, part(inner, root, depth + 1)]];
    if (alternatives.has(key) && Array.isArray(inner)) return [[key, inner.map((one) => part(one, root, depth + 1))]];
    return kept.has(key) && isVisible(JSON.stringify(inner)) ? [[key, inner]] : [];
  }));
}

function referred(reference: string, root: JsonSchema): unknown {
  const [, place = '', name = ''] = /^#\/(\$defs|definitions)\/([^/]+)$/.exec(reference) ?? [];
  const all = root[place];
  return isRecord(all) ? all[name] : undefined;
}

const isRecord = (value: unknown): value is JsonSchema => typeof value === 'object' && value !== null && !Array.isArray(value);
const isVisible = (text: string): boolean => revealHidden(text).count === 0;
