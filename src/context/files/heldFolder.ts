import { existsSync, constants } from 'node:fs';
import { mkdir, open, realpath, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { platformFlags } from './platformFlags.js';

/**
 * A folder that stays the same one whatever happens to its path. On Linux it is held open, and names in it are resolved from there: a
 * folder swapped for a link after the check changes nothing, as with `openat`, which Node.js does not offer. Elsewhere the
 * path has to do, and who opens a file checks a second time.
 */
export interface HeldFolder {
  /** The path by which to reach a name in this folder; only as long as it is held. */
  at(name: string): string;
  /** Nothing but a name in this very folder can be reached. */
  readonly exact: boolean;
  close(): Promise<void>;
}

const byDescriptor = process.platform === 'linux' && existsSync('/proc/self/fd');

export interface HoldOptions {
  /** Makes the folders that are missing. */
  readonly create?: boolean;
  /** false: by path, as on systems other than Linux. */
  readonly exact?: boolean;
}

/** Holds a folder below `root`. `segments` hold no link and no `..`; one that has become a link meanwhile rejects with ELOOP or ENOTDIR. */
export async function holdFolder(root: string, segments: readonly string[], { create = false, exact = byDescriptor }: HoldOptions = {}): Promise<HeldFolder> {
  const realRoot = await realpath(root);
  if (!exact) {
    const path = join(realRoot, ...segments);
    if (create) await mkdir(path, { recursive: true });
    return { at: (name) => join(path, name), exact, close: () => Promise.resolve() };
  }
  let handle = await open(realRoot, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    for (const segment of segments) {
      const path = inside(handle, segment);
      if (create) await mkdir(path).catch(ignoreExisting);
      const next = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | platformFlags('O_NOFOLLOW'));
      await handle.close();
      handle = next;
    }
  } catch (thrown) {
    await handle.close();
    throw thrown;
  }
  return { at: (name) => inside(handle, name), exact, close: () => handle.close() };
}

const inside = (folder: FileHandle, name: string): string => `/proc/self/fd/${folder.fd}/${name}`;

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
