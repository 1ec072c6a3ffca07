import { randomUUID } from 'node:crypto';
import { link, open, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';

/** A lock that was not refreshed for this long belongs to a process that is gone. Ids of processes are reused; time is not. */
const staleMs = 15_000;
const refreshMs = 2_000;

export interface FileLock {
  release(): Promise<void>;
}

/** Takes the lock file, or returns undefined while another process holds it. */
export async function takeLock(file: string): Promise<FileLock | undefined> {
  const token = `${process.pid} ${randomUUID()}`;
  if (!(await create(file, token)) && !((await removeStale(file)) && (await create(file, token)))) return undefined;
  const refresh = setInterval(() => {
    const now = new Date();
    // A failed refresh only means that the lock may be taken over; what it guards is checked by hash before it is used.
    utimes(file, now, now).catch(() => undefined);
  }, refreshMs);
  refresh.unref();
  return {
    release: async () => {
      clearInterval(refresh);
      if ((await readFile(file, 'utf8').catch(() => '')) === token) await rm(file, { force: true });
    },
  };
}

async function create(file: string, token: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx');
    await handle.close();
    await writeFile(file, token);
    return true;
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST') return false;
    throw thrown;
  }
}

/**
 * Moves a stale lock away. Two processes may see the same stale lock, and the slower one would move the new lock of the
 * quicker one: so what was moved is looked at again, and put back when it is not stale.
 */
async function removeStale(file: string): Promise<boolean> {
  if (!(await isStale(file))) return false;
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
  } catch {
    return true; // another process moved it first
  }
  const stale = await isStale(aside);
  if (!stale) await link(aside, file).catch(() => undefined);
  await rm(aside, { force: true });
  return stale;
}

async function isStale(file: string): Promise<boolean> {
  const found = await stat(file).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > staleMs;
}
