import { constants } from 'node:fs';
import { lstat, open, realpath, type FileHandle } from 'node:fs/promises';
import { isAbsolute, join, posix, relative, resolve, sep } from 'node:path';
import { failure } from '../../base/errors.js';
import { holdFolder, type HeldFolder, type HoldOptions } from './heldFolder.js';
import { platformFlags } from './platformFlags.js';

/**
 * The one check of paths that come from a model, a tool or a file. Paths are relative to the workspace folder, with forward
 * slashes; what lies outside is refused, whether by `..`, an absolute path, a link, or a name that the file system reads
 * differently than it looks (alternate streams, trailing dots).
 */
export interface ResolvedPath {
  /** Canonical and without links: the file that will really be touched. */
  readonly absolute: string;
  /** The same, relative to the real root, with forward slashes. */
  readonly relative: string;
  readonly exists: boolean;
}

const hint = 'Use a path relative to the workspace folder, for example src/main.ts.';

const outside = (path: string): Error => failure('path.outsideWorkspace', `${JSON.stringify(path)} is outside the workspace folder.`, hint);

/** A canonical relative path, without looking at the disk. Throws `path.outsideWorkspace`. */
export function normalisePath(path: string, root: string): string {
  if (path.includes('\0')) throw outside(path);
  let slashed = path.trim().replaceAll('\\', '/');
  const slashedRoot = root.replaceAll('\\', '/').replace(/\/+$/, '');
  if (slashed === slashedRoot || slashed.startsWith(`${slashedRoot}/`)) slashed = slashed.slice(slashedRoot.length + 1);
  if (isAbsolute(slashed) || /^[a-z]:/i.test(slashed) || slashed.startsWith('//') || slashed.startsWith('~')) throw outside(path);
  const normal = posix.normalize(slashed === '' ? '.' : slashed).replace(/\/+$/, '');
  if (normal === '..' || normal.startsWith('../')) throw outside(path);
  for (const segment of normal.split('/')) {
    // `name::$DATA` and `name. ` open `name` on Windows; the rule is the same everywhere so that no system is the weak one.
    if (segment.includes(':') || (segment !== '.' && segment !== '..' && /[. ]$/.test(segment))) {
      throw failure('path.outsideWorkspace', `${JSON.stringify(path)} is not a plain path.`, hint);
    }
  }
  return normal === '.' ? '' : normal;
}

/** Follows links and refuses what leads out of the root. The file itself need not exist; then its deepest existing parent counts. */
export async function resolveInside(root: string, path: string): Promise<ResolvedPath> {
  const realRoot = await realpath(root);
  const wanted = resolve(realRoot, normalisePath(path, root));
  let existing = wanted;
  for (;;) {
    const real = await realpath(existing).catch(ignoreMissing);
    if (real !== undefined) {
      const absolute = join(real, relative(existing, wanted));
      if (!isInside(realRoot, absolute)) throw outside(path);
      return { absolute, relative: relative(realRoot, absolute).split(sep).join('/'), exists: existing === wanted };
    }
    // A link that leads nowhere exists all the same: creating through it would create its target.
    if (await lstat(existing).catch(ignoreMissing)) throw outside(path);
    const parent = resolve(existing, '..');
    if (parent === existing) throw outside(path);
    existing = parent;
  }
}

function isInside(realRoot: string, absolute: string): boolean {
  const way = relative(realRoot, absolute);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

/**
 * Opens a regular file for reading. The path is checked, and the file opened without following any link, from folder to folder where
 * the system can do that; elsewhere the path is checked again, and a folder that was swapped for a link in between gives another
 * file, which is refused.
 */
export async function openInside(root: string, path: string): Promise<{ handle: FileHandle; resolved: ResolvedPath }> {
  return openResolved(root, path, await resolveInside(root, path));
}

/** The second half of `openInside`: opens what the check found. */
export async function openResolved(root: string, path: string, resolved: ResolvedPath, options?: Pick<HoldOptions, 'exact'>): Promise<{ handle: FileHandle; resolved: ResolvedPath }> {
  if (!resolved.exists) throw notFound(path);
  if (resolved.relative === '') throw notAFile(path);
  const [folders, name] = splitPath(resolved.relative);
  try {
    const folder = await holdFolder(root, folders, options);
    try {
      const handle = await openIn(folder, name, path);
      return { handle: folder.exact ? handle : await checkedAgain(handle, root, path), resolved };
    } finally {
      await folder.close();
    }
  } catch (thrown) {
    throw swapped(thrown, path);
  }
}

/** Opens a regular file of a held folder for reading. `path` is for messages. */
export async function openIn(folder: HeldFolder, name: string, path: string): Promise<FileHandle> {
  const handle = await open(folder.at(name), constants.O_RDONLY | platformFlags('O_NOFOLLOW', 'O_NONBLOCK'));
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw notAFile(path);
}

async function checkedAgain(handle: FileHandle, root: string, path: string): Promise<FileHandle> {
  try {
    const opened = await handle.stat();
    const again = await resolveInside(root, path);
    const now = await lstat(again.absolute).catch(ignoreMissing);
    if (now?.ino !== opened.ino || now.dev !== opened.dev) throw outside(path);
    return handle;
  } catch (thrown) {
    await handle.close();
    throw thrown;
  }
}

/** What a link in the place of a file or folder that was none a moment ago means, and a name that is gone. */
export function swapped(thrown: unknown, path: string): unknown {
  const { code } = thrown as NodeJS.ErrnoException;
  if (code === 'ELOOP' || code === 'ENOTDIR') return outside(path);
  return code === 'ENOENT' ? notFound(path) : thrown;
}

/** The folders of a relative path, and its name. */
export function splitPath(relativePath: string): [readonly string[], string] {
  const segments = relativePath.split('/');
  return [segments.slice(0, -1), segments.at(-1) ?? ''];
}

const notAFile = (path: string): Error => failure('path.notFound', `${JSON.stringify(path)} is not a file.`, 'Use list_files to see what is there.');

export function notFound(path: string): Error {
  return failure('path.notFound', `There is no file ${JSON.stringify(path)}.`, 'Use list_files or search_text to find the right path.');
}

/** For `catch`: a missing path is an answer, anything else is an error. */
function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
  throw error;
}
