import { constants } from 'node:fs';

/** Flags for `open`; Windows has not all of them. */
export function platformFlags(...names: readonly ('O_NOFOLLOW' | 'O_NONBLOCK')[]): number {
  const known: Partial<Record<string, number>> = constants;
  return names.reduce((flags, name) => flags | (known[name] ?? 0), 0);
}
