import type { Ranking } from '../graph/ranking.js';
import { compare } from '../files/walk.js';
import type { FileFacts, FileSymbol } from '../symbols/facts.js';
import { displayPath, displayText } from './display.js';
import type { RepositorySnapshot } from './snapshot.js';

/** A symbol that a map may show. */
interface Candidate { readonly path: string; readonly index: number; readonly score: number }

/**
 * The symbols of files in the order in which a map takes them: by the rank that flows into them; those that nothing refers to follow by the rank of their
 * file. Ties go by path and place.
 */
export function rankedSymbols(files: RepositorySnapshot['files'], paths: readonly string[], ranking: Ranking): readonly Candidate[] {
  const candidates: Candidate[] = [];
  for (const path of paths) {
    const { symbols } = files.get(path)?.facts ?? { symbols: [] };
    const file = ranking.files.get(path) ?? 0;
    symbols.forEach(({ name, depth, local }, index) => {
      // What nothing refers to is told of last, and what nothing can refer to after that.
      const own = (local === true ? 0.005 : 0.05) * file / (1 + depth) / symbols.length;
      candidates.push({ path, index, score: (local === true ? 0 : ranking.symbol(path, name)) + own });
    });
  }
  return candidates.sort((a, b) => b.score - a.score || compare(a.path, b.path) || a.index - b.index);
}

/** The candidates up to `characters` of a map, each with what it lies in, as indices by path. */
export function chosen(files: RepositorySnapshot['files'], candidates: readonly Candidate[], characters: number): ReadonlyMap<string, ReadonlySet<number>> {
  const byPath = new Map<string, Set<number>>();
  let length = 0;
  for (const { path, index } of candidates) {
    const symbols = files.get(path)?.facts.symbols ?? [];
    const indices = byPath.get(path);
    const added = lineage(symbols, index).filter((at) => indices?.has(at) !== true);
    // Without what `displayText` makes visible: that is counted when the blocks are written.
    const longer = added.reduce((sum, at) => sum + 2 * (symbols[at]?.depth ?? 0) + 3 + (symbols[at]?.signature.length ?? 0), indices === undefined ? path.length + 1 : 0);
    if (length + longer > characters) break;
    length += longer;
    if (indices === undefined) byPath.set(path, new Set(added));
    else for (const at of added) indices.add(at);
  }
  return byPath;
}

/** A symbol and those around it, by index. */
function lineage(symbols: readonly FileSymbol[], index: number): number[] {
  const found: number[] = [];
  let depth = Infinity;
  for (let at = index; at >= 0 && depth > 0; at--) {
    const symbol = symbols[at];
    if (symbol === undefined || symbol.depth >= depth) continue;
    found.push(at);
    depth = symbol.depth;
  }
  return found;
}

/** A file's lines in a map: its path, then symbols in the order of the file. Without line numbers, which every edit above would change. */
export function entryOf(path: string, facts: FileFacts, isShown: (symbol: FileSymbol, index: number) => boolean): string {
  const lines = facts.symbols.filter(isShown).map(({ depth, signature }) => `${'  '.repeat(depth + 1)}${displayText(signature)}`);
  return [displayPath(path), ...lines].join('\n');
}
