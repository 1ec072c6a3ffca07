import type { SymbolMatch } from '../ports.js';

/**
 * Finds definitions by how they look in common languages. Not a parser: the extension asks the language servers first. A
 * pattern describes the text between the start of a line and the name; `(?<kind>...)` is what the match is called.
 */
const modifiers = String.raw`(?:(?:export|default|declare|public|private|protected|internal|static|abstract|async|final|override|readonly|sealed|virtual|inline|constexpr|extern|unsafe|open|data|pub(?:\([a-z]+\))?|const|get|set)\s+)*`;
const keywords = String.raw`(?<kind>class|interface|enum|type|namespace|module|struct|trait|union|record|object|function\*?|func|fun|fn|def|impl|protocol|extension|macro_rules!|let|var|val|const|static)`;

/** A regular expression for ripgrep that finds lines which may define `name`. */
export function definitionPattern(name: string): string {
  const n = escapeRegex(name);
  return [
    String.raw`\b(?:class|interface|enum|type|namespace|module|struct|trait|union|record|object|function\*?|func|fun|fn|def|impl|protocol|extension|macro_rules!|let|var|val|const|static)\s+(?:\([^)]*\)\s*)?(?:[\w.]+[.:])?${n}\b`,
    String.raw`^\s*#\s*define\s+${n}\b`,
    String.raw`^\s*[\w<>\[\],.:*&\s]*\b${n}\s*(?:<[^>]*>)?\([^;]*$`,
    String.raw`^\s*[\w\s]*\b${n}\s*[:=]\s*(?:async\s*)?(?:function\b|\([^)]*\)\s*(?::[^=]+)?=>|\w+\s*=>)`,
  ].join('|');
}

/** What a found line defines, or undefined when it only mentions the name. */
export function symbolOf(name: string, path: string, line: number, text: string): SymbolMatch | undefined {
  const trimmed = text.trim();
  const kind = kindOf(name, trimmed);
  return kind === undefined ? undefined : { path, line, kind, name, text: trimmed };
}

function kindOf(name: string, text: string): string | undefined {
  const n = escapeRegex(name);
  if (/^(\/\/|\*|\/\*|#(?!\s*define\b)|--|<!--|import\b|from\b|return\b|throw\b|await\b|if\b|for\b|while\b|switch\b|case\b|else\b|new\b|using\b)/.test(text)) return undefined;
  const word = new RegExp(String.raw`^${modifiers}${keywords}\s+(?:\([^)]*\)\s*)?(?:[\w.]+[.:])?${n}\b`).exec(text)?.groups?.['kind'];
  const assigned = new RegExp(String.raw`\b${n}\s*(?::[^=]+)?=\s*(?:async\s*)?(?:function\b|\([^)]*\)\s*(?::[^=]+)?=>|\w+\s*=>)`).test(text);
  if (word !== undefined) return assigned ? 'function' : names[word] ?? word;
  if (new RegExp(String.raw`^#\s*define\s+${n}\b`).test(text)) return 'macro';
  if (assigned) return 'function';
  if (new RegExp(String.raw`^${n}\(.*\)$`).test(text)) return undefined; // a call, in a language without semicolons
  // A method or a C function: words, the name, parameters, and a body or a return type instead of a semicolon.
  const method = new RegExp(String.raw`^${modifiers}(?:[\w<>\[\],.:*&]+\s+)*[*&]?${n}\s*(?:<[^>]*>)?\(.*(?:\{|\)\s*(?::[^;]+|->[^;]+|throws[^;]+)?|,)$`);
  return method.test(text) ? 'method' : undefined;
}

const names: Readonly<Record<string, string>> = {
  'function*': 'function', func: 'function', fun: 'function', fn: 'function', def: 'function', 'macro_rules!': 'macro',
  let: 'variable', var: 'variable', val: 'variable', const: 'constant', static: 'variable',
};

/** Types and functions before variables, exported before local, then by path and line. */
export function rankSymbols(symbols: readonly SymbolMatch[]): readonly SymbolMatch[] {
  const weight = ({ kind, text }: SymbolMatch): number =>
    (/^(export|pub|public)\b/.test(text) ? 0 : 1) + (kind === 'variable' || kind === 'constant' ? 4 : kind === 'method' ? 2 : 0);
  return [...symbols].sort((a, b) => weight(a) - weight(b) || compare(a.path, b.path) || a.line - b.line);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export function escapeRegex(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
}
