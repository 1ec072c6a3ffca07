const factors: Record<string, number> = { local: 1, country: 1.4, abroad: 2.6 };

/** How much farther zones cost. Unknown zones are billed as abroad. */
export function zoneFactor(zone: string): number {
  return factors[zone] ?? 2.6;
}
