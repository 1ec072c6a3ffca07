import type { Node, QueryMatch } from 'web-tree-sitter';
import { type FileFacts, type FileSymbol, isTelling, longestSignature, type SymbolKind } from './facts.js';

const mostSymbols = 600;
const mostReferences = 1_500;
const deepest = 3;

/** Definitions that hold others; whatever lies in the rest is local to it. */
const holders = new Set<SymbolKind>(['class', 'interface', 'struct', 'trait', 'impl', 'enum', 'union', 'record', 'namespace', 'module', 'object']);
/** C and C++: what is around the declarator of a function. */
const around = new Set(['function_definition', 'declaration', 'field_declaration', 'template_declaration']);
const definition = 'def.';

interface Found { readonly name: Node; readonly kind: SymbolKind; readonly node: Node; readonly bodyAt: number | undefined; readonly pattern: number }

/** Definitions and uses in a file, from the matches of its language's query; `text` is what was parsed, `family` the language's. */
export function extractFacts(text: string, family: string, matches: readonly QueryMatch[]): FileFacts {
  const found = new Map<number, Found>();
  const uses: Node[] = [];
  for (const { captures, patternIndex } of matches) {
    const whole = captures.find(({ name }) => name.startsWith(definition));
    const name = captures.find((capture) => capture.name === 'name')?.node;
    if (whole === undefined || name === undefined) {
      for (const capture of captures) if (capture.name === 'ref') uses.push(capture.node);
      continue;
    }
    // Several patterns may match one definition; the earlier one in the query says more about it.
    if ((found.get(name.startIndex)?.pattern ?? Infinity) <= patternIndex) continue;
    const { node, inner } = aroundDeclarator(whole.node);
    const body = captures.find((capture) => capture.name === 'body')?.node ?? inner.childForFieldName('body');
    found.set(name.startIndex, { name, kind: whole.name.slice(definition.length) as SymbolKind, node, bodyAt: body?.startIndex, pattern: patternIndex });
  }
  const symbols = nested([...found.values()], text, family === 'javascript' ? exportsOf(text) : undefined);
  return { symbols, references: counted(uses, found, symbols, text) };
}

/** Leaves out what lies in the body of a function, and says of the rest how deep it lies. `exported`: names that a module exports by a list. */
function nested(found: readonly Found[], text: string, exported: ReadonlySet<string> | undefined): FileSymbol[] {
  const symbols: FileSymbol[] = [];
  const open: { readonly end: number; readonly depth: number; readonly holds: boolean; readonly local: boolean }[] = [];
  for (const { name, kind, node, bodyAt } of found.toSorted((a, b) => a.node.startIndex - b.node.startIndex || b.node.endIndex - a.node.endIndex)) {
    while ((open.at(-1)?.end ?? Infinity) <= node.startIndex) open.pop();
    const parent = open.at(-1);
    const depth = parent === undefined ? 0 : parent.depth + 1;
    const holds = parent?.holds ?? true;
    const end = isShortEnum(kind, node) ? node.endIndex : bodyAt ?? node.endIndex;
    const signature = signatureOf(text, node.startIndex, end);
    const shownName = text.slice(name.startIndex, name.endIndex).slice(0, longestSignature);
    const local = parent?.local === true || isPrivate(signature, kind) || (exported !== undefined && depth === 0 && !exported.has(shownName) && !isExported(node));
    // `typedef struct point { ... } point_t;` defines two names side by side.
    open.push({ end: node.endIndex, depth: kind === 'type' ? depth - 1 : depth, holds: holds && (kind === 'type' || holders.has(kind)), local });
    if (!holds || depth > deepest || symbols.length >= mostSymbols) continue;
    symbols.push({ name: shownName, kind, depth, signature, ...(local ? { local } : {}) });
  }
  return symbols;
}

/** Names that are used and mean something elsewhere: those that the file defines itself are its own. */
function counted(uses: readonly Node[], found: ReadonlyMap<number, Found>, symbols: readonly FileSymbol[], text: string): readonly (readonly [string, number])[] {
  const own = new Set(symbols.map(({ name }) => name));
  const seen = new Set<number>();
  const counts = new Map<string, number>();
  for (const { startIndex, endIndex } of uses) {
    if (found.has(startIndex) || seen.has(startIndex)) continue;
    seen.add(startIndex);
    const name = text.slice(startIndex, endIndex);
    if (isTelling(name) && !own.has(name)) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const kept = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, mostReferences);
  return kept.sort(([a], [b]) => (a < b ? -1 : 1));
}

/** A definition up to its body, on one line. What is longer than a line of a map is cut, and says so. */
function signatureOf(text: string, from: number, to: number): string {
  // Four times the length is enough to fill it after white space and comments are gone, whatever a file holds.
  const shown = text.slice(from, Math.min(to, from + 4 * longestSignature))
    .replace(/\/\*[^]*?\*\/|(?<!:)\/\/[^\n]*/g, ' ').replace(/\s+/g, ' ').trim().replace(/\s*(?:\{|=>|=|:|;|\bdo\b)$/, '');
  return shown.length <= longestSignature ? shown : `${shown.slice(0, longestSignature - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** The members say more than the name, where they fit. */
const isShortEnum = (kind: SymbolKind, { startIndex, endIndex }: Node): boolean => kind === 'enum' && endIndex - startIndex <= longestSignature;

/** The whole of a definition, and the part of it that has the body. */
function aroundDeclarator(node: Node): { readonly node: Node; readonly inner: Node } {
  if (node.type !== 'function_declarator') return { node, inner: node };
  let [outer, inner] = [node, node];
  for (let parent = node.parent, steps = 0; parent !== null && steps < 5; parent = parent.parent, steps++) {
    if (around.has(parent.type)) outer = parent;
    else if (!parent.type.endsWith('_declarator')) break;
    if (parent.type === 'function_definition') inner = parent;
  }
  return { node: outer, inner };
}

/** `private` in the languages that have it, and what C keeps within a file. */
function isPrivate(signature: string, kind: SymbolKind): boolean {
  return /^(?:[\w@]+ ){0,4}private\b/.test(signature) || (kind === 'function' && /^(?:inline )?static\b/.test(signature));
}

const isExported = (node: Node): boolean => [node.parent, node.parent?.parent, node.parent?.parent?.parent].some((parent) => parent?.type === 'export_statement' || parent?.type === 'ambient_declaration');

/** Names that a module of JavaScript exports by a list; undefined for what is no such module: scripts, and modules of CommonJS. */
function exportsOf(text: string): ReadonlySet<string> | undefined {
  // Not `\s` at the start of a line: from every one of a million empty lines it would look at all the others.
  if (!/^[ \t]*(?:export\b|import\s*[\w{*'"$])/m.test(text)) return undefined;
  const lists = [...text.matchAll(/\bexport\s*(?:type\s*)?\{([^}]{0,20000})\}/g)].map(([, list = '']) => list);
  const defaults = [...text.matchAll(/\bexport\s+default\s+([\w$]+)/g)].map(([, name = '']) => name);
  return new Set([...lists.join(',').split(/[\s,]+/), ...defaults]);
}
