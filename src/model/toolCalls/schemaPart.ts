import type { JsonSchema } from '../../protocol/chat.js';

/** A part of a schema that ought to be a schema itself; what is none allows any value. */
export const schemaPart = (value: unknown): JsonSchema =>
  (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonSchema) : {});

/** The strings of a part that ought to be a list of names. */
export const namesPart = (value: unknown): readonly string[] =>
  (Array.isArray(value) ? value.filter((name): name is string => typeof name === 'string') : []);
