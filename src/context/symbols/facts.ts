/** What the parser found in one file. Plain data: it is cached by the content's hash. */
export interface FileFacts {
  readonly symbols: readonly FileSymbol[];
  /** Names that the file uses and does not define, with how often, in the order of the names. */
  readonly references: readonly (readonly [name: string, count: number])[];
}

export const symbolKinds = [
  'class', 'interface', 'struct', 'trait', 'impl', 'enum', 'union', 'record', 'namespace', 'module', 'object', 'type', 'function', 'method', 'constant', 'variable', 'property', 'macro',
] as const;
export type SymbolKind = (typeof symbolKinds)[number];

/** A definition outside of function bodies. */
export interface FileSymbol {
  readonly name: string;
  readonly kind: SymbolKind;
  /** The definition without its body, on one line, at most `longestSignature` characters. */
  readonly signature: string;
  /** How many definitions it lies in: 0 at the top level of the file. */
  readonly depth: number;
  /** Cannot be meant by another file: private, or not exported from a module that exports. */
  readonly local?: true;
}

export const longestSignature = 160;

export const noFacts: FileFacts = { symbols: [], references: [] };

/** Kinds that only hold others, or that many files share: a use of their name says nothing about this file. */
const notTargets = new Set<SymbolKind>(['impl', 'namespace', 'module']);

/** Names that every second file defines. */
const common = new Set(['constructor', '__init__', '__construct', 'initialize', 'main', 'toString', 'to_s', '__str__', '__repr__', 'ToString', 'Equals', 'equals', 'hashCode', 'default', 'new']);

/** The name in what people write for one: `load` of `Store.load`, `store->load` and `load()`. */
export const plainName = (written: string): string => written.trim().replace(/\(.*$/, '').split(/[.#]|::|->/).at(-1) ?? written;

/** The names by which other files can mean something in this one, and whether one stands at the top level or only inside others. */
export function definedNames({ symbols }: FileFacts): ReadonlyMap<string, 'top' | 'member'> {
  const names = new Map<string, 'top' | 'member'>();
  for (const { kind, name, depth, local } of symbols) {
    if (local === true || notTargets.has(kind) || !isTelling(name)) continue;
    if (depth === 0) names.set(name, 'top');
    else if (!names.has(name)) names.set(name, 'member');
  }
  return names;
}

/** Whether a name can tie two files together; of one and two letters too many mean something else. */
export function isTelling(name: string): boolean {
  return name.length >= 3 && name.length <= 120 && !common.has(name);
}
