import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, lstat, open, readdir, readlink, rename, rmdir, symlink, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { failure } from '../../base/errors.js';
import { holdFolder, type HeldFolder } from '../../context/files/heldFolder.js';
import { normalisePath, splitPath } from '../../context/files/paths.js';
import { platformFlags } from '../../context/files/platformFlags.js';

/** A file or a link as it is on disk, byte for byte; a link's content is where it leads. */
export interface Entry { readonly kind: 'file' | 'link'; readonly executable: boolean; readonly content: Buffer }

/** What a path holds: two entries with the same mark are the same. Undefined stands for nothing there, and has the mark `absent`. */
export function markOf(entry: Entry | undefined): string {
  if (!entry) return 'absent';
  const executable = entry.executable && process.platform !== 'win32' ? 'x' : '';
  return `${entry.kind}${executable}:${createHash('sha256').update(entry.content).digest('hex')}`;
}

/** Something else than what was expected is there: a folder, a device, or a folder of the path that is a link or a file now. */
const inTheWay = (path: string): Error => failure('edit.notApplied', `Something else is in the place of ${path}.`, 'Look at it, then try again.');
const changed = (path: string): Error => failure('edit.changedOnDisk', `${path} changed meanwhile.`, 'Look at it, then try again.');

/** The file or link under a relative path; no link on the way is followed. A folder is no file. Throws `edit.notApplied` for a device or the like. */
export async function readEntry(root: string, path: string): Promise<Entry | undefined> {
  const folder = await hold(root, path, false);
  if (!folder) return undefined;
  try {
    return await entryIn(folder, nameOf(path), path);
  } finally {
    await folder.close();
  }
}

/**
 * Puts `to` in the place of `from`: as a whole, or not at all, whenever the process dies. Throws `edit.changedOnDisk` when something else
 * than `from` is there. Folders that are missing are made; those that become empty go.
 */
export async function replaceEntry(root: string, path: string, from: string, to: Entry | undefined): Promise<void> {
  const folder = await hold(root, path, to !== undefined);
  if (!folder) {
    if (from !== 'absent') throw changed(path);
    return;
  }
  const name = nameOf(path);
  try {
    const expect = async (): Promise<void> => {
      if (markOf(await entryIn(folder, name, path)) !== from) throw changed(path);
    };
    await expect();
    if (to) await put(folder, name, path, from, to, expect);
    else if (from !== 'absent') await unlink(folder.at(name));
    await syncFolder(folder);
  } finally {
    await folder.close();
  }
  if (!to) await removeEmptyFolders(root, path);
}

async function put(folder: HeldFolder, name: string, path: string, from: string, to: Entry, expect: () => Promise<void>): Promise<void> {
  const temporary = folder.at(`.${randomBytes(6).toString('hex')}.loupe-tmp`);
  try {
    if (to.kind === 'link') await symlink(to.content, temporary);
    else await writeFile(temporary, to, from.startsWith('file') ? (await lstat(folder.at(name))).mode & 0o777 : undefined);
    await expect();
    // A hard link fails where the name is taken meanwhile, which a rename would not.
    if (from === 'absent' && to.kind === 'file' && await linked(temporary, folder.at(name), path)) await unlink(temporary);
    else await rename(temporary, folder.at(name));
  } catch (thrown) {
    await unlink(temporary).catch(ignoreMissing);
    throw thrown;
  }
}

async function writeFile(path: string, { content, executable }: Entry, oldMode: number | undefined): Promise<void> {
  const mode = executable ? (oldMode ?? 0o644) | 0o111 : (oldMode ?? 0o644) & ~0o111;
  const handle = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | platformFlags('O_NOFOLLOW'), mode);
  try {
    await handle.writeFile(content);
    if (oldMode !== undefined) await handle.chmod(mode);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function linked(temporary: string, target: string, path: string): Promise<boolean> {
  try {
    await link(temporary, target);
    return true;
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw changed(path);
    if (code === 'EPERM' || code === 'ENOTSUP' || code === 'EOPNOTSUPP' || code === 'ENOSYS') return false; // no hard links here
    throw thrown;
  }
}

async function entryIn(folder: HeldFolder, name: string, path: string): Promise<Entry | undefined> {
  const at = folder.at(name);
  const stats = await lstat(at).catch(ignoreMissing);
  if (!stats) return undefined;
  if (stats.isSymbolicLink()) return { kind: 'link', executable: false, content: await readlink(at, { encoding: 'buffer' }) };
  if (stats.isDirectory()) return undefined;
  if (!stats.isFile()) throw inTheWay(path);
  const handle = await open(at, constants.O_RDONLY | platformFlags('O_NOFOLLOW', 'O_NONBLOCK'));
  try {
    return { kind: 'file', executable: (stats.mode & 0o100) !== 0, content: await handle.readFile() };
  } finally {
    await handle.close();
  }
}

/** The folder of a path, held. Undefined where it is missing and not to be made. */
async function hold(root: string, path: string, create: boolean): Promise<HeldFolder | undefined> {
  if (normalisePath(path, root) !== path || path === '') throw failure('path.outsideWorkspace', `${JSON.stringify(path)} is not a plain path.`, 'Give the path of a file in the workspace folder.');
  const [folders] = splitPath(path);
  try {
    return await holdFolder(root, folders, { create });
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (!create && (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP')) return undefined; // no file can be there
    if (code === 'ELOOP' || code === 'ENOTDIR' || code === 'EEXIST') throw inTheWay(path);
    throw thrown;
  }
}

/** A name is on disk only when its folder is. Not every system lets a folder be opened for that. */
async function syncFolder(folder: HeldFolder): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder.at('.'), constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes what a killed process left beside this path while it wrote. */
export async function removeTemporaries(root: string, path: string): Promise<void> {
  const folder = await hold(root, path, false);
  if (!folder) return;
  try {
    for (const name of await readdir(folder.at('.'))) if (/^\.[0-9a-f]{12}\.loupe-tmp$/.test(name)) await unlink(folder.at(name)).catch(ignoreMissing);
  } finally {
    await folder.close();
  }
}

async function removeEmptyFolders(root: string, path: string): Promise<void> {
  for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) {
    try {
      await rmdir(join(root, folder));
    } catch {
      return; // not empty, or not ours to remove: an empty folder harms nobody
    }
  }
}

const nameOf = (path: string): string => splitPath(path)[1];

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}
