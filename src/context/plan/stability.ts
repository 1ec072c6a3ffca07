import { compare } from '../files/walk.js';

/**
 * Rarely edited files first, so that an edit leaves as much as possible before it as it is. By the logarithm of the number of changes: the order of two files
 * must not turn with every commit. Within a step by path, which keeps folders together.
 */
export function byStability(changes: ReadonlyMap<string, number>): (a: string, b: string) => number {
  const step = (path: string): number => Math.floor(Math.log2(1 + (changes.get(path) ?? 0)));
  return (a, b) => step(a) - step(b) || compare(a, b);
}
