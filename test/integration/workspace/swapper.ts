import { renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';

/**
 * The attacker: as fast as it can, makes `root/d` a folder of the workspace and a link to `evil`, by turns, and does the same to the
 * file `root/e/f`. Ends once the shared flag says so, and tells how often it swapped.
 */
const { root, evil, stop } = workerData as { root: string; evil: string; stop: Int32Array };
const [d, aside, link] = [join(root, 'd'), join(root, '.aside'), join(root, '.link')];
const [f, kept] = [join(root, 'e', 'f'), join(root, 'e', '.kept')];
symlinkSync(evil, link);
let swaps = 0;
while (Atomics.load(stop, 0) === 0) {
  renameSync(d, aside);
  takePlace(link, d);
  spin(swaps % 50);
  renameSync(d, link);
  takePlace(aside, d);
  attempt(() => renameSync(f, kept));
  attempt(() => symlinkSync(join(evil, 'f'), f));
  spin(swaps % 50);
  attempt(() => unlinkSync(f));
  attempt(() => writeFileSync(f, 'inside', { flag: 'wx' }));
  swaps++;
  spin(swaps % 70);
}
parentPort?.postMessage(swaps);

/** Waits for some microseconds, so that the swaps fall on ever other moments. */
function spin(microseconds: number): void {
  const end = process.hrtime.bigint() + BigInt(microseconds) * 1000n;
  while (process.hrtime.bigint() < end);
}

/** The other side may make a folder of that name anew in the moment in which there is none. */
function takePlace(from: string, to: string): void {
  while (!attempt(() => renameSync(from, to))) attempt(() => rmSync(to, { recursive: true, force: true }));
}

/** What the other side does at the same time may get in the way of a step; the race goes on. */
function attempt(step: () => void): boolean {
  try {
    step();
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === undefined) throw thrown;
    return false;
  }
}
