import { randomBytes, randomUUID } from 'node:crypto';
import { link, lstat, open, rename, rm } from 'node:fs/promises';
import { openOwn } from './snapshotFile.js';

const keyBytes = 32;

/**
 * The key that authenticates this user's snapshots, made when there is none. A file that others can read, or that is no key at all, is
 * replaced: what was signed with it counts for nothing any more. Two processes that start together get the same key. Throws what the file system says.
 */
export async function loadMacKey(path: string): Promise<Buffer> {
  for (let attempt = 0; attempt < 10; attempt++) {
    const known = await read(path);
    if (known) return known;
    const own = `${path}.${process.pid}.${randomUUID()}`;
    try {
      const file = await open(own, 'wx', 0o600);
      try {
        await file.writeFile(randomBytes(keyBytes));
        await file.sync();
      } finally {
        await file.close();
      }
      await linkOrYield(own, path);
    } finally {
      await rm(own, { force: true });
    }
  }
  throw new Error(`${path} cannot be made`);
}

async function read(path: string): Promise<Buffer | undefined> {
  const opened = await openOwn(path);
  if (!opened.ok) {
    if (await exists(path)) await setAside(path);
    return undefined;
  }
  const { file, bytes } = opened.value;
  try {
    const { mode } = await file.stat();
    if (bytes === keyBytes && (process.platform === 'win32' || (mode & 0o077) === 0)) return await file.readFile();
  } finally {
    await file.close();
  }
  await setAside(path);
  return undefined;
}

/** A hard link appears with its content in one step and fails when the name is taken: then the other process's key counts. */
async function linkOrYield(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'EPERM' && code !== 'ENOTSUP') throw thrown;
    await rename(from, to); // a file system without hard links
  }
}

/** Moved, not removed: it may be a folder. */
const setAside = (path: string): Promise<void> => rename(path, `${path}.refused-${Date.now()}-${randomUUID()}`);

const exists = (path: string): Promise<boolean> => lstat(path).then(() => true, () => false);
