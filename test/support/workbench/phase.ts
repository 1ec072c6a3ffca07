import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Profile } from './profile.js';
import { phaseBundle, type NamedScenario } from './scenario.js';

/** Counts of tests, and a line for each that failed. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly failures?: readonly string[];
}
export const nothing: Totals = { passed: 0, failed: 0, skipped: 0 };
export const add = (a: Totals, b: Totals): Totals =>
  ({ passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped, failures: [...a.failures ?? [], ...b.failures ?? []] });

/** What the mocha entry runs next. In a file, because one server outlives all phases and so does its environment. */
interface Plan {
  /** Bundled test files; absolute. */
  readonly files: readonly string[];
  /** Where the totals go; mocha's own output goes to `<results>.log`. */
  readonly results: string;
  /** How many folders the window is to have. */
  readonly folders: number;
  readonly grep?: string;
}

/** What {@link readTotals} cannot mean: the tests did not start, because the window was there without its folders. */
export const noFolders = (results: string): boolean => fs.existsSync(`${results}.no-folders`);

/** Says what the next extension host runs; returns the path of the results it will leave. */
export function planPhase(profile: Profile, named: NamedScenario, phase: string, grep: string | undefined): string {
  const results = path.join(profile.folder, `${phase}.json`);
  fs.rmSync(`${results}.no-folders`, { force: true });
  const plan: Plan = { files: [phaseBundle(named, phase)], results, folders: profile.names.length, ...(grep === undefined ? {} : { grep }) };
  fs.writeFileSync(profile.plan, JSON.stringify(plan));
  return results;
}

/** Copies what mocha writes in the extension host to our own output while `work` runs. */
export async function followLog<T>(results: string, work: Promise<T>): Promise<T> {
  const log = `${results}.log`;
  let printed = 0;
  const print = () => {
    if (!fs.existsSync(log)) return;
    const text = fs.readFileSync(log, 'utf8');
    process.stdout.write(text.slice(printed));
    printed = text.length;
  };
  const done = new AbortController();
  const following = (async () => {
    while (!done.signal.aborted) {
      print();
      await sleep(200, undefined, { signal: done.signal }).catch(() => undefined);
    }
  })();
  try {
    return await work;
  } finally {
    done.abort();
    await following;
    print();
  }
}

/** Totals that the suite left; one failure when it left none, ran nothing, or ended badly without naming a failed test. */
export function readTotals(results: string, outcome: number): Totals {
  const totals = fs.existsSync(results) ? JSON.parse(fs.readFileSync(results, 'utf8')) as Totals : nothing;
  const broken = totals.passed + totals.failed === 0 || (outcome !== 0 && totals.failed === 0);
  if (!broken) return totals;
  const failure = `${path.basename(results)}: the suite ended with ${outcome} after ${totals.passed} passed tests`;
  console.error(failure);
  return add(totals, { passed: 0, failed: 1, skipped: 0, failures: [failure] });
}

/** Rejects after `seconds`. */
export async function timeout(seconds: number, signal: AbortSignal): Promise<never> {
  await sleep(seconds * 1000, undefined, { signal });
  throw new Error(`the suite did not end within ${seconds} s`);
}
