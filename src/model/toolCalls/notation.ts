/** How a family writes argument values; the grammar builder is the same for all. Terminals are GBNF. */
export interface Notation {
  /** Bodies of rules that the others refer to. */
  readonly rules: Readonly<Record<string, string>>;
  /** A string of `min` to `max` characters, `max` undefined for no limit. */
  string(min: number, max: number | undefined): string;
  /** A string, number, boolean or null, written out. */
  literal(value: unknown): string;
  /** A property's key with what separates it from its value. */
  key(name: string): string;
  /** A rule for a key that no schema names. */
  readonly anyKey: string;
  readonly comma: string;
  /** The order in which the properties of an object are written. */
  order(names: readonly string[]): readonly string[];
}

/** A GBNF string literal. */
export function quoted(text: string): string {
  const escaped = text.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n').replace(/\r/g, '\\r').replace(/\t/g, '\\t');
  return `"${escaped}"`;
}

const times = (min: number, max: number | undefined): string => (min === 0 && max === undefined ? '*' : `{${min},${max ?? ''}}`);

/** JSON on one line with a space after colons and commas: what `spacedJson` writes. */
export const jsonNotation: Notation = {
  rules: {
    char: '[^"\\\\\\x00-\\x1F] | "\\\\" (["\\\\/bfnrt] | "u" [0-9a-fA-F]{4})',
    'any-key': '"\\"" char* "\\": "',
  },
  string: (min, max) => `"\\"" char${times(min, max)} "\\""`,
  literal: (value) => quoted(JSON.stringify(value)),
  key: (name) => quoted(`${JSON.stringify(name)}: `),
  anyKey: 'any-key',
  comma: '", "',
  order: (names) => names,
};

/** Gemma 4: bare keys in sorted order, no spaces, strings between quote tokens and not escaped. */
export const gemma4Notation: Notation = {
  rules: {
    char: '[^<] | "<" [^|]',
    'any-key': '[^:{},<]+ ":"',
  },
  string: (min, max) => `"<|\\"|>" char${times(min, max)} "<|\\"|>"`,
  literal: (value) => quoted(typeof value === 'string' ? `<|"|>${value}<|"|>` : JSON.stringify(value)),
  key: (name) => quoted(`${name}:`),
  anyKey: 'any-key',
  comma: '","',
  order: (names) => [...names].sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)),
};
