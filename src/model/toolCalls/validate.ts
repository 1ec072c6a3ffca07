import type { JsonSchema } from '../../protocol/chat.js';
import { namesPart, schemaPart } from './schemaPart.js';

/**
 * Checks arguments against a tool's schema, in the subset of JSON Schema that the call grammar knows. Patterns and formats are
 * ignored: a schema may come from another program, and its regular expressions must not run here.
 *
 * @returns what is wrong, in words that help a model to repair its call; undefined if the value fits.
 */
export function schemaProblem(value: unknown, schema: JsonSchema, at = 'arguments'): string | undefined {
  if ('const' in schema && !same(value, schema['const'])) return `${at} must be ${JSON.stringify(schema['const'])}`;
  const options = schema['enum'];
  if (Array.isArray(options) && !options.some((option) => same(value, option))) return `${at} must be one of ${options.map((option) => JSON.stringify(option)).join(', ')}`;
  const alternatives = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(alternatives) && alternatives.length > 0) {
    const problems = alternatives.map((one) => schemaProblem(value, schemaPart(one), at));
    return problems.includes(undefined) ? undefined : problems[0];
  }
  const type = schema['type'];
  const types = Array.isArray(type) ? type : type === undefined ? [] : [type];
  if (types.length > 0 && !types.some((one) => isOfType(value, one))) return `${at} must be ${types.join(' or ')}, not ${kindOf(value)}`;
  if (typeof value === 'string') return lengthProblem(value.length, schema, 'minLength', 'maxLength', 'characters', at);
  if (typeof value === 'number') return rangeProblem(value, schema, at);
  if (Array.isArray(value)) {
    const items = schemaPart(schema['items']);
    return lengthProblem(value.length, schema, 'minItems', 'maxItems', 'items', at)
      ?? firstProblem(value.map((item, index) => () => schemaProblem(item, items, `${at}[${index}]`)));
  }
  return typeof value === 'object' && value !== null ? objectProblem(value as Readonly<Record<string, unknown>>, schema, at) : undefined;
}

function objectProblem(value: Readonly<Record<string, unknown>>, schema: JsonSchema, at: string): string | undefined {
  const properties = schemaPart(schema['properties']);
  const missing = namesPart(schema['required']).find((name) => !Object.hasOwn(value, name));
  if (missing !== undefined) return `${at}.${missing} is missing`;
  const closed = schema['additionalProperties'] === false || ('properties' in schema && schema['additionalProperties'] === undefined);
  return firstProblem(Object.entries(value).map(([name, field]) => () => {
    if (Object.hasOwn(properties, name)) return schemaProblem(field, schemaPart(properties[name]), `${at}.${name}`);
    return closed ? `${at}.${name} is not known; known are ${Object.keys(properties).join(', ') || 'none'}` : undefined;
  }));
}

function rangeProblem(value: number, schema: JsonSchema, at: string): string | undefined {
  const { minimum, maximum } = schema;
  if (typeof minimum === 'number' && value < minimum) return `${at} must be at least ${minimum}`;
  if (typeof maximum === 'number' && value > maximum) return `${at} must be at most ${maximum}`;
  return undefined;
}

function lengthProblem(length: number, schema: JsonSchema, min: string, max: string, unit: string, at: string): string | undefined {
  const least = schema[min];
  const most = schema[max];
  if (typeof least === 'number' && length < least) return `${at} must have at least ${least} ${unit}`;
  if (typeof most === 'number' && length > most) return `${at} must have at most ${most} ${unit}`;
  return undefined;
}

function isOfType(value: unknown, type: unknown): boolean {
  switch (type) {
    case 'integer': return Number.isInteger(value);
    case 'number': return typeof value === 'number';
    case 'null': return value === null;
    case 'array': return Array.isArray(value);
    case 'object': return kindOf(value) === 'object';
    case 'string':
    case 'boolean': return typeof value === type;
    default: return true; // a type this subset does not know
  }
}

const kindOf = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

function firstProblem(checks: readonly (() => string | undefined)[]): string | undefined {
  for (const check of checks) {
    const problem = check();
    if (problem !== undefined) return problem;
  }
  return undefined;
}
