import type { JsonSchema } from '../../protocol/chat.js';
import type { Notation } from './notation.js';
import { namesPart, schemaPart } from './schemaPart.js';

/** Longer limits are not spelt out: llama.cpp unrolls repetitions, and the token limit bounds the text anyway. */
const longestSpeltRepetition = 256;
/** Deeper parts of a schema become "any value": schemas may come from other programs and refer to themselves. */
const deepestSchema = 12;

/**
 * Builds a GBNF grammar (llama.cpp, grammars/README.md) for values that fit JSON schemas: objects with required and optional
 * properties in a fixed order, arrays, strings, enums, numbers, booleans, alternatives. A part it does not know allows any value, so
 * what comes out is validated all the same.
 */
export class GrammarBuilder {
  private readonly rules = new Map<string, string>();

  constructor(private readonly notation: Notation) {
    for (const [name, body] of Object.entries(notation.rules)) this.rules.set(name, body);
  }

  /** Adds a rule and returns its name. */
  rule(name: string, body: string): string {
    this.rules.set(name, body);
    return name;
  }

  build(): string {
    return [...this.rules].map(([name, body]) => `${name} ::= ${body}\n`).join('');
  }

  /** A rule called `name` for the values that fit the schema. */
  value(name: string, schema: JsonSchema, depth = 0): string {
    return this.rule(name, this.body(name, schema, depth));
  }

  private body(name: string, schema: JsonSchema, depth: number): string {
    if (depth > deepestSchema) return this.any();
    if ('const' in schema) return this.notation.literal(schema['const']);
    const options = schema['enum'];
    if (Array.isArray(options) && options.length > 0) return options.map((option) => this.notation.literal(option)).join(' | ');
    const alternatives = schema['anyOf'] ?? schema['oneOf'];
    if (Array.isArray(alternatives) && alternatives.length > 0) return this.alternatives(name, alternatives.map(schemaPart), depth);
    const type = schema['type'];
    if (Array.isArray(type)) return this.alternatives(name, type.map((one: unknown) => ({ ...schema, type: one })), depth);
    switch (type) {
      case 'string': return this.notation.string(count(schema['minLength']) ?? 0, count(schema['maxLength']));
      case 'integer': return `${sign(schema)}${wholeNumber}`;
      case 'number': return `${sign(schema)}${wholeNumber} ("." [0-9]{1,15})? ([eE] [-+]? [0-9]{1,3})?`;
      case 'boolean': return '"true" | "false"';
      case 'null': return '"null"';
      case 'array': return this.array(this.value(`${name}-item`, schemaPart(schema['items']), depth + 1), count(schema['minItems']) ?? 0, count(schema['maxItems']));
      case 'object': return this.object(name, schema, depth);
      default: return this.any();
    }
  }

  private alternatives(name: string, schemas: readonly JsonSchema[], depth: number): string {
    return schemas.map((schema, index) => this.value(`${name}-or${index}`, schema, depth + 1)).join(' | ');
  }

  private array(item: string, min: number, max: number | undefined): string {
    const more = `(${this.notation.comma} ${item}){${Math.max(0, min - 1)},${max === undefined ? '' : Math.max(0, max - 1)}}`;
    const items = `${item} ${more}`;
    if (max === 0) return '"[]"';
    return min > 0 ? `"[" ${items} "]"` : `"[" (${items})? "]"`;
  }

  private object(name: string, schema: JsonSchema, depth: number): string {
    const properties = schemaPart(schema['properties']);
    const names = this.notation.order(Object.keys(properties));
    if (names.length === 0) return schema['additionalProperties'] === false || 'properties' in schema ? '"{}"' : this.anyObject();
    const required = new Set(namesPart(schema['required']));
    const fields = names.map((property, index) =>
      `${this.notation.key(property)} ${this.value(`${name}-${index}`, schemaPart(properties[property]), depth + 1)}`);
    // one rule per property and per "something came before", as only then a comma is due
    const rest = (index: number, comma: boolean): string => {
      const field = fields[index];
      if (field === undefined) return '';
      const written = `${comma ? `${this.notation.comma} ` : ''}${field} ${rest(index + 1, true)}`.trim();
      if (required.has(names[index] ?? '')) return written;
      const rule = `${name}-${index}${comma ? 'c' : 'o'}`;
      if (!this.rules.has(rule)) this.rule(rule, `${written} | ${rest(index + 1, comma) || '""'}`);
      return rule;
    };
    return `"{" ${rest(0, false)} "}"`;
  }

  private anyObject(): string {
    const { comma, anyKey } = this.notation;
    return `"{" (${anyKey} ${this.any()} (${comma} ${anyKey} any)*)? "}"`;
  }

  private any(): string {
    if (!this.rules.has('any')) {
      this.rules.set('any', '');
      this.rules.set('any', `${this.notation.string(0, undefined)} | "-"? ${wholeNumber} ("." [0-9]{1,15})? | "true" | "false" | "null" | ${this.array('any', 0, undefined)} | ${this.anyObject()}`);
    }
    return 'any';
  }
}

const wholeNumber = '("0" | [1-9] [0-9]{0,15})';

const sign = (schema: JsonSchema): string => (typeof schema['minimum'] === 'number' && schema['minimum'] >= 0 ? '' : '"-"? ');

const count = (value: unknown): number | undefined => (typeof value === 'number' && value >= 0 && value <= longestSpeltRepetition ? Math.floor(value) : undefined);
