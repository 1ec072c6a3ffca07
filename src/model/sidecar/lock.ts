import { link, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import type { Clock } from '../../base/clock.js';

export interface LockOptions {
  readonly pid: number;
  readonly isAlive: (pid: number) => boolean;
  readonly clock: Clock;
  /** A lock older than this is stale whoever holds it: its process id may have been given to another process. */
  readonly maxAgeMs: number;
}

export interface Lock { release(): Promise<void> }

let attempts = 0;

/** Takes the lock file, reclaiming it from a dead or outdated holder. Undefined: somebody else holds it. Never waits. */
export async function tryLock(path: string, options: LockOptions): Promise<Lock | undefined> {
  const own = `${path}.${options.pid}.${++attempts}`;
  await writeFile(own, String(options.pid), { mode: 0o600 });
  try {
    // A hard link appears with its content in one step, and fails when the name is taken.
    if (await linked(own, path)) return held(path, options.pid);
    if (!(await reclaim(path, options))) return undefined;
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

/** True when the name is free now. */
async function reclaim(path: string, options: LockOptions): Promise<boolean> {
  const pid = await holder(path);
  if (pid === undefined) return true;
  if (pid !== 0 && options.isAlive(pid) && !(await tooOld(path, options))) return false;
  const aside = `${path}.stale.${options.pid}.${attempts}`;
  try {
    await rename(path, aside);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw thrown;
  }
  try {
    // Between reading and renaming, another client may have reclaimed it: then we took a live lock and give it back.
    if ((await holder(aside)) === pid) return true;
    await linked(aside, path);
    return false;
  } finally {
    await rm(aside, { force: true });
  }
}

async function tooOld(path: string, options: LockOptions): Promise<boolean> {
  try {
    return options.clock.now() - (await stat(path)).mtimeMs > options.maxAgeMs;
  } catch {
    return false; // gone meanwhile: the next attempt sees it
  }
}
