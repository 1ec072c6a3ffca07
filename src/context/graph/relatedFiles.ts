import { compare } from '../files/walk.js';
import type { RelatedFile, RelatedFiles } from '../../protocol/context.js';
import { rankedSymbols } from '../plan/mapEntries.js';
import type { RepositorySnapshot } from '../plan/snapshot.js';
import { definedNames, plainName } from '../symbols/facts.js';
import { rank } from './ranking.js';

/** Of all jumps of the surfer: where the question is about something, what else is central matters little. */
const shareOfQuestion = 0.9;
/** Files that use a name and stand for it; a name that more use says little about each of them. */
const mostUsers = 50;
const mostSymbols = 8;

/**
 * Files that have to do with names and paths, the closest first, by PageRank personalised to the files that are named, define a name or use one (Haveliwala 2002); without any of these, to
 * what is open and was changed lately. Each with the symbols that the others lean on most. Reads no file.
 */
export async function relatedFiles({ files, focus }: Pick<RepositorySnapshot, 'files' | 'focus'>, about: readonly string[], limit: number): Promise<RelatedFiles> {
  const named = new Set<string>();
  const users = new Set<string>();
  const unknown: string[] = [];
  for (const word of about) {
    const [defining, using] = files.has(word) ? [[word], []] : withName(files, plainName(word));
    if (defining.length + using.length === 0) unknown.push(word);
    for (const path of defining) named.add(path);
    for (const path of using.slice(0, mostUsers)) users.add(path);
  }
  const asked = named.size + users.size > 0;
  if (about.length > 0 && !asked) return { files: [], unknown };
  const facts = new Map([...files].map(([path, file]) => [path, file.facts]));
  const ranking = asked ? await rank(facts, { open: [...named], changed: [...users] }, shareOfQuestion) : await rank(facts, focus);
  const paths = [...ranking.files].sort(([a, x], [b, y]) => Number(named.has(b)) - Number(named.has(a)) || y - x || compare(a, b)).slice(0, limit).map(([path]) => path);
  const byPath = new Map<string, RelatedFile['symbols'][number][]>(paths.map((path) => [path, []]));
  for (const { path, index } of rankedSymbols(files, paths, ranking)) {
    const [symbol, shown] = [files.get(path)?.facts.symbols[index], byPath.get(path)];
    if (symbol && shown && shown.length < mostSymbols) shown.push({ name: symbol.name, kind: symbol.kind, signature: symbol.signature });
  }
  return { files: [...byPath].map(([path, symbols]) => ({ path, why: named.has(path) ? 'named' : users.has(path) ? 'uses' : 'related', symbols })), unknown };
}

function withName(files: RepositorySnapshot['files'], name: string): [defining: string[], using: string[]] {
  const [defining, using]: [string[], string[]] = [[], []];
  for (const [path, { facts }] of files) {
    if (definedNames(facts).has(name)) defining.push(path);
    else if (facts.references.some(([used]) => used === name)) using.push(path);
  }
  return [defining.sort(compare), using.sort(compare)];
}
