import path from 'node:path';
import { pathToFileURL } from 'node:url';

const seconds = ms => `${(ms / 1000).toFixed(1)} s`;

/** Runs `work`, says what it is and how long it took. */
export async function step(title, work) {
  const started = performance.now();
  process.stderr.write(`${title} ...\n`);
  const result = await work();
  process.stderr.write(`${title}: ${seconds(performance.now() - started)}\n`);
  return result;
}

export const note = text => void process.stderr.write(`${text}\n`);

/** A failure that the person at the terminal can act on: printed without a stack. */
export class Stop extends Error {}

/** True in the file that was started, as against imported. */
export const isMain = meta => meta.url === pathToFileURL(path.resolve(process.argv[1] ?? '')).href;

/** Runs a script's `main`; its return value is the exit status. */
export async function runMain(main) {
  try {
    process.exitCode = (await main(process.argv.slice(2))) ?? 0;
  } catch (error) {
    note(error instanceof Stop ? error.message : error.stack ?? String(error));
    process.exitCode = 1;
  }
}
