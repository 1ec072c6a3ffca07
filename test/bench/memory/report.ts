/** Prints one measurement as `npm run bench` reads it: `most` and `least` are the wanted figures. */
export function report(name: string, measured: number, unit: string, { most, least }: { readonly most?: number; readonly least?: number } = {}): void {
  const limit = most ?? least;
  const pass = most === undefined ? measured >= (least ?? 0) : measured <= most;
  console.log(JSON.stringify({ name, value: Number(measured.toFixed(measured < 10 ? 4 : 1)), unit, ...(limit === undefined ? {} : { limit, pass }) }));
}

/** The middle one: a pause of the machine spoils one round, not the figure. */
export const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
