import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FileFacts } from '../symbols/facts.js';
import { pageRank } from './pageRank.js';
import { type Reference, type ReferenceGraph, referenceGraph } from './referenceGraph.js';

export interface Ranking {
  /** How much the rest of the code leans on a file, for the task at hand; they add up to 1. */
  readonly files: ReadonlyMap<string, number>;
  /** The rank that flows into a file by one of its names. */
  symbol(path: string, name: string): number;
}

/** What makes some files matter more than others just now. Paths that are not in the repository do nothing. */
export interface Focus {
  /** Open in the editor. */
  readonly open: readonly string[];
  /** Changed lately. */
  readonly changed: readonly string[];
}

export const noFocus: Focus = { open: [], changed: [] };

/** How often the surfer jumps to an open or changed file, against any other file once: half of all jumps, however large the repository. */
const shareOfFocus = 0.5;
const openAgainstChanged = 2;
/** Tests and examples use everything and are used by nothing; where they lead matters less than where the product's own code does. */
const besides = /(^|\/)(tests?|specs?|__tests__|examples?|samples?|fixtures?|benchmarks?|bench|docs?|demos?)\/|[._-](test|spec)\.[a-z]+$|(^|\/)test_[^/]*\.py$|_test\.go$/i;
const weightOfBesides = 0.1;
/** The product's code does not use its tests: where it seems to, two things have one name. */
const weightIntoBesides = 0.05;

/**
 * Ranks files by personalised PageRank over the reference graph, and symbols by the share of rank that the uses of their name carry. That rank flows along
 * names, so that symbols get it too, was shown by the repository map of Aider (2023). Lets others have their turn between its three parts.
 * @param share of all jumps that go to the focus, where there is one
 */
export async function rank(files: ReadonlyMap<string, FileFacts>, focus: Focus, share = shareOfFocus): Promise<Ranking> {
  const graph = referenceGraph(files);
  await nextTurn();
  const references = discounted(graph);
  const ranks = pageRank(withWeights(references), preferenceOf(graph, focus, share));
  await nextTurn();
  const symbols = new Map<string, number>();
  references.forEach((out, from) => {
    const total = out.reduce((sum, { weight }) => sum + weight, 0);
    for (const { to, name, weight } of out) {
      const key = `${to} ${name}`;
      symbols.set(key, (symbols.get(key) ?? 0) + (ranks[from] ?? 0) * (weight / total));
    }
  });
  const indices = new Map(graph.paths.map((path, index) => [path, index]));
  return {
    files: new Map(graph.paths.map((path, index) => [path, ranks[index] ?? 0])),
    symbol: (path, name) => symbols.get(`${indices.get(path) ?? -1} ${name}`) ?? 0,
  };
}

function discounted({ paths, references }: ReferenceGraph): Reference[][] {
  const isBesides = paths.map((path) => besides.test(path));
  return references.map((out, from) => out.map((one) => (isBesides[one.to] === true && isBesides[from] !== true ? { ...one, weight: one.weight * weightIntoBesides } : one)));
}

/** One edge for each pair of files. */
function withWeights(references: ReferenceGraph['references']): { to: number; weight: number }[][] {
  return references.map((out) => {
    const edges: { to: number; weight: number }[] = [];
    for (const { to, weight } of out) {
      const last = edges.at(-1);
      if (last?.to === to) last.weight += weight;
      else edges.push({ to, weight });
    }
    return edges;
  });
}

function preferenceOf({ paths }: ReferenceGraph, { open, changed }: Focus, share: number): number[] {
  const base = paths.map((path) => (besides.test(path) ? weightOfBesides : 1));
  const wanted = new Map<string, number>();
  for (const path of changed) wanted.set(path, 1);
  for (const path of open) wanted.set(path, openAgainstChanged);
  const extra = paths.map((path) => wanted.get(path) ?? 0);
  const [all, focused] = [base, extra].map((values) => values.reduce((sum, value) => sum + value, 0)) as [number, number];
  if (focused === 0) return base;
  return base.map((value, index) => (1 - share) * value / all + share * (extra[index] ?? 0) / focused);
}
