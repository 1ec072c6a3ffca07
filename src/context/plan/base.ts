import { type Ranking, rank } from '../graph/ranking.js';
import { type KeptBlock, type KeptPlan, type ShownFile, tokensOf } from './keptPlan.js';
import { chosen, entryOf, rankedSymbols } from './mapEntries.js';
import { fileBlock, headText, mapText } from './render.js';
import type { RepositorySnapshot } from './snapshot.js';
import { byStability } from './stability.js';
import type { TokenCounter } from './tokenCounter.js';

/** Tokens up to which a repository is given whole: what models of the sizes that run here still read well. */
export const wholeLimit = 40_000;
/** Bytes of a token at most, on average over a repository: more, and it cannot fit, whatever the tokenizer. */
const mostBytesPerToken = 8;
/** Share of the budget for symbols, when a repository is not given whole. */
const shareOfMap = 0.3;
/** Share of the tokens for whole files that one of them may take, as long as smaller ones want the room. */
const shareOfOneFile = 0.2;
/** Share of the budget that must be left for files to be chosen once more. */
const worthAnotherRound = 0.05;
/** Tokens of one block of the map: a changed signature costs this much, and a border for a snapshot is never far. */
const tokensOfMapBlock = 1_000;
const mostCandidates = 20_000;
/** Characters of the map by which its length in tokens is estimated. */
const sampleCharacters = 20_000;
const batch = 16;
/** Files in a row that did not fit, after which no further one is tried. */
const mostMisses = 64;

export interface Base { readonly mode: 'whole' | 'map'; readonly blocks: readonly KeptBlock[] }

/**
 * Chooses and writes the blocks of a plan: at most `budget` tokens. The same snapshot, budget, tokenizer and earlier plan give the same bytes. Of an earlier plan
 * the whole files that have not changed keep their order and come first, so that what was computed for them stays of use.
 */
export async function makeBase(snapshot: RepositorySnapshot, budget: number, counter: TokenCounter, earlier: KeptPlan | undefined, signal: AbortSignal): Promise<Base> {
  const order = orderOf(snapshot, byStability(await snapshot.changes(signal)), earlier);
  return await everything(snapshot, Math.min(budget, wholeLimit), counter, order, signal) ?? await selection(snapshot, budget, counter, order, signal);
}

async function everything(snapshot: RepositorySnapshot, limit: number, counter: TokenCounter, order: Order, signal: AbortSignal): Promise<Base | undefined> {
  const bytes = [...snapshot.files.values()].reduce((sum, file) => sum + file.bytes, 0);
  if (bytes > limit * mostBytesPerToken) return undefined;
  const head = await headBlock(snapshot.name, 'whole', counter, signal);
  const files: KeptBlock[] = [];
  const paths = [...snapshot.files.keys()].sort(order);
  for (let from = 0; from < paths.length; from += batch) {
    files.push(...await fileBlocks(snapshot, paths.slice(from, from + batch), counter, signal));
    if (head.tokens + tokensOf(files) > limit) return undefined;
  }
  return { mode: 'whole', blocks: [head, ...files] };
}

async function selection(snapshot: RepositorySnapshot, budget: number, counter: TokenCounter, order: Order, signal: AbortSignal): Promise<Base> {
  const head = await headBlock(snapshot.name, 'map', counter, signal);
  const ranking = await rank(new Map([...snapshot.files].map(([path, { facts }]) => [path, facts])), snapshot.focus);
  const room = budget - head.tokens;
  let forFiles = Math.floor(room * (1 - shareOfMap));
  for (let round = 1; ; round++) {
    const whole = await centralFiles(snapshot, ranking, forFiles, counter, signal);
    const byPath = new Map(whole.map((block) => [block.path ?? '', block]));
    const files = [...byPath.keys()].sort(order).flatMap((path) => byPath.get(path) ?? []);
    const map = await mapBlocks(snapshot, ranking, byPath, room - tokensOf(files), counter, order, signal);
    const left = room - tokensOf(files) - tokensOf(map);
    // All symbols of a repository that nearly fits take less than their share: more files get it, and their symbols leave the map.
    if (round === 2 || left < room * worthAnotherRound) return { mode: 'map', blocks: [head, ...files, ...map] };
    forFiles = tokensOf(files) + left;
  }
}

/** Whole files by rank, as many as fit; a README at the root first, because it says what the repository is. Large ones only in the room that the others leave. */
async function centralFiles(snapshot: RepositorySnapshot, ranking: Ranking, room: number, counter: TokenCounter, signal: AbortSignal): Promise<KeptBlock[]> {
  const rankOf = (path: string): number => (/^readme(\.\w+)?$/i.test(path) ? 2 : ranking.files.get(path) ?? 0);
  const byRank = [...snapshot.files].filter(([, { bytes }]) => bytes > 0).sort(([a], [b]) => rankOf(b) - rankOf(a) || (a < b ? -1 : 1));
  const taken = new Map<string, KeptBlock>();
  let left = room;
  for (const most of [room * shareOfOneFile, room]) {
    const candidates = byRank.filter(([path, { bytes }]) => !taken.has(path) && bytes <= most * mostBytesPerToken).map(([path]) => path);
    let misses = 0;
    for (let from = 0; from < candidates.length && misses < mostMisses && left > room / 50; from += batch) {
      for (const block of await fileBlocks(snapshot, candidates.slice(from, from + batch), counter, signal)) {
        if (block.path === undefined || block.tokens > Math.min(left, most)) {
          misses++;
          continue;
        }
        misses = 0;
        left -= block.tokens;
        taken.set(block.path, block);
      }
    }
  }
  return [...taken.values()];
}

/** The map: symbols by rank until the room is full, in blocks of whole files that are sorted as the files are. */
async function mapBlocks(
  snapshot: RepositorySnapshot, ranking: Ranking, whole: ReadonlyMap<string, unknown>, room: number, counter: TokenCounter, order: Order, signal: AbortSignal,
): Promise<KeptBlock[]> {
  const paths = [...snapshot.files.keys()].filter((path) => !whole.has(path)).sort(order);
  const candidates = rankedSymbols(snapshot.files, paths, ranking).slice(0, mostCandidates);
  const write = (characters: number): MapEntry[] => {
    const byPath = chosen(snapshot.files, candidates, characters);
    return paths.flatMap((path) => {
      const [file, shown] = [snapshot.files.get(path), byPath.get(path)];
      return file === undefined || shown === undefined ? [] : [{ path, entry: entryOf(path, file.facts, (_, index) => shown.has(index)), indices: shown }];
    });
  };

  const sample = mapText(write(sampleCharacters).map(({ entry }) => entry));
  const [sampleTokens = 1] = await counter.countTokens([sample], signal);
  const charactersPerToken = sample.length / Math.max(1, sampleTokens);
  let characters = Math.floor(room * charactersPerToken);
  for (;;) {
    const entries = write(characters);
    const blocks = await packed(entries, charactersPerToken, snapshot, counter, signal);
    const tokens = tokensOf(blocks);
    if (tokens <= room || entries.length === 0) return blocks;
    characters = Math.floor(characters * Math.min(0.99, room / tokens));
  }
}

/** A file in the map: its lines, and which of its symbols they show. */
interface MapEntry { readonly path: string; readonly entry: string; readonly indices: ReadonlySet<number> }

async function packed(entries: readonly MapEntry[], charactersPerToken: number, snapshot: RepositorySnapshot, counter: TokenCounter, signal: AbortSignal): Promise<KeptBlock[]> {
  const groups: MapEntry[][] = [];
  let length = Infinity;
  for (const one of entries) {
    if (length + one.entry.length > tokensOfMapBlock * charactersPerToken) {
      groups.push([]);
      length = 0;
    }
    groups.at(-1)?.push(one);
    length += one.entry.length + 1;
  }
  const texts = groups.map((group) => mapText(group.map(({ entry }) => entry)));
  const counts = await counter.countTokens(texts, signal);
  return groups.map((group, block) => ({
    kind: 'map', text: texts[block] ?? '', tokens: counts[block] ?? 0,
    shows: group.map(({ path, entry, indices }) => {
      const file = snapshot.files.get(path);
      const names = file?.facts.symbols.map(({ name }) => name) ?? [];
      return { as: 'map', path, hash: file?.hash ?? '', entry, shown: [...new Set(names.filter((_, index) => indices.has(index)))], all: [...new Set(names)] };
    }),
  }));
}

async function headBlock(name: string, mode: Base['mode'], counter: TokenCounter, signal: AbortSignal): Promise<KeptBlock> {
  const text = headText(name, mode);
  const [tokens = 0] = await counter.countTokens([text], signal);
  return { kind: 'head', text, tokens, shows: [] };
}

/** A file that changed since the index saw it is left out here: the next look at the index tells of it. */
async function fileBlocks(snapshot: RepositorySnapshot, paths: readonly string[], counter: TokenCounter, signal: AbortSignal): Promise<KeptBlock[]> {
  signal.throwIfAborted();
  const read = await Promise.all(paths.map(async (path) => ({ path, content: await snapshot.read(path) })));
  const found = read.flatMap(({ path, content }) => (content === undefined ? [] : [{ path, ...fileBlock(path, content) }]));
  const counts = await counter.countTokens(found.map(({ text }) => text), signal);
  return found.map(({ path, text, from, to }, index) => ({
    kind: 'file', path, text, tokens: counts[index] ?? 0, shows: [{ as: 'whole', path, hash: snapshot.files.get(path)?.hash ?? '', from, to }],
  }));
}

type Order = (a: string, b: string) => number;

/** Whole files of the earlier plan that are as they were, in its order; then the others. */
function orderOf({ files }: RepositorySnapshot, otherwise: Order, earlier: KeptPlan | undefined): Order {
  const isSame = ({ as, path, hash }: ShownFile): boolean => as === 'whole' && files.get(path)?.hash === hash;
  const places = new Map((earlier?.base ?? []).flatMap(({ shows }, place) => shows.filter(isSame).map(({ path }) => [path, place] as const)));
  const placeOf = (path: string): number => places.get(path) ?? Number.MAX_SAFE_INTEGER;
  return (a, b) => placeOf(a) - placeOf(b) || otherwise(a, b);
}
