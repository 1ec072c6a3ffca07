import { link, readFile, rm, stat, writeFile } from 'node:fs/promises';
import type { Clock } from '../../base/clock.js';

export interface LockOptions {
  readonly pid: number;
  readonly isAlive: (pid: number) => boolean;
  readonly clock: Clock;
  /** A lock older than this is stale whoever holds it: its process id may have been given to another process. */
  readonly maxAgeMs: number;
}

export interface Lock { release(): Promise<void> }

/** Reclaiming takes a few file operations. */
const guardAgeMs = 5000;

let attempts = 0;

/** Takes the lock file, reclaiming it from a dead or outdated holder. Undefined: somebody else holds it. Never waits. */
export async function tryLock(path: string, options: LockOptions): Promise<Lock | undefined> {
  const own = `${path}.${options.pid}.${++attempts}`;
  await writeFile(own, String(options.pid), { mode: 0o600 });
  try {
    // A hard link appears with its content in one step, and fails when the name is taken.
    if (await linked(own, path)) return held(path, options.pid);
    if (!(await reclaim(own, path, options))) return undefined;
    return (await linked(own, path)) ? held(path, options.pid) : undefined;
  } finally {
    await rm(own, { force: true });
  }
}

const held = (path: string, pid: number): Lock => ({
  release: async () => {
    if ((await holder(path)) === pid) await rm(path, { force: true });
  },
});

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw thrown;
  }
}

async function holder(path: string): Promise<number | undefined> {
  try {
    const pid = Number(await readFile(path, 'utf8'));
    return Number.isInteger(pid) && pid > 0 ? pid : 0;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
}

/**
 * Removes a stale lock; true when the name is free now. Only one process may do this at a time: otherwise the second one would
 * remove the lock that the first one has just taken.
 */
async function reclaim(own: string, path: string, options: LockOptions): Promise<boolean> {
  const guard = `${path}.reclaim`;
  if (!(await linked(own, guard))) {
    if (await olderThan(guard, guardAgeMs, options.clock)) await rm(guard, { force: true }); // its holder died in these few lines
    return false;
  }
  try {
    const pid = await holder(path);
    if (pid === undefined) return true;
    if (pid !== 0 && options.isAlive(pid) && !(await olderThan(path, options.maxAgeMs, options.clock))) return false;
    await rm(path, { force: true });
    return true;
  } finally {
    await rm(guard, { force: true });
  }
}

async function olderThan(path: string, ageMs: number, clock: Clock): Promise<boolean> {
  try {
    return clock.now() - (await stat(path)).mtimeMs > ageMs;
  } catch {
    return false; // gone meanwhile: the next attempt sees it
  }
}
