import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, lstat, open, readdir, rename, unlink, type FileHandle } from 'node:fs/promises';
import { failure, toError } from '../../base/errors.js';
import type { FileEdit } from '../../protocol/agentEvents.js';
import type { EditPort } from '../ports.js';
import { holdFolder, type HeldFolder } from '../../context/files/heldFolder.js';
import { openIn, openInside, resolveInside, splitPath, swapped } from '../../context/files/paths.js';
import { platformFlags } from '../../context/files/platformFlags.js';

/** sha256 in hex of a text as UTF-8: what `FileEdit.beforeHash` holds. */
export function hashText(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

/**
 * Writes edits so that a file is either wholly old or wholly new, whenever the process dies: the new text goes into a
 * temporary file beside it, to the disk, and takes the old one's place in one step. Links are followed only inside the root.
 */
export class NodeEdits implements EditPort {
  constructor(private readonly root: string) {}

  async apply(edit: FileEdit, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const target = await resolveInside(this.root, edit.path);
    if (edit.kind === 'replace') await modeIfUnchanged((await openInside(this.root, edit.path)).handle, edit);
    const [folders, name] = splitPath(target.relative);
    let folder: HeldFolder | undefined;
    try {
      folder = await holdFolder(this.root, folders, { create: edit.kind === 'create' });
      // By path, a folder that was just made or swapped for a link would go unnoticed.
      if (!folder.exact && (await resolveInside(this.root, edit.path)).absolute !== target.absolute) throw changedPlace(edit.path);
      await this.write(folder, name, edit, signal);
      await removeLeftovers(folder);
    } catch (thrown) {
      throw asEditFailure(swapped(thrown, edit.path), edit.path);
    } finally {
      await folder?.close();
    }
  }

  private async write(folder: HeldFolder, name: string, edit: FileEdit, signal: AbortSignal): Promise<void> {
    const mode = edit.kind === 'replace' ? await modeIfUnchanged(await openIn(folder, name, edit.path), edit) : 0o666;
    const temporary = folder.at(`.${randomBytes(6).toString('hex')}.loupe-tmp`);
    try {
      const handle = await open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | platformFlags('O_NOFOLLOW'), mode);
      try {
        await handle.writeFile(edit.after, 'utf8');
        if (edit.kind === 'replace') await handle.chmod(mode);
        await handle.sync();
      } finally {
        await handle.close();
      }
      signal.throwIfAborted();
      if (edit.kind === 'replace') {
        await modeIfUnchanged(await openIn(folder, name, edit.path), edit);
        await rename(temporary, folder.at(name));
      } else await publishNew(temporary, folder.at(name), edit);
    } catch (thrown) {
      await unlink(temporary).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      });
      throw thrown;
    }
  }
}

/** Mode of the file, when its text is still what the edit was made for. Closes the handle. */
async function modeIfUnchanged(handle: FileHandle, edit: FileEdit): Promise<number> {
  try {
    const bytes = await handle.readFile();
    const text = bytes.toString('utf8');
    if (hashText(text) !== edit.beforeHash) {
      throw failure('edit.changedOnDisk', `${edit.path} changed since the edit was proposed.`, 'Read it again and propose the edit anew.');
    }
    // What cannot be read as UTF-8 would be lost in every line, changed or not.
    if (!Buffer.from(text, 'utf8').equals(bytes)) throw failure('edit.notApplied', `${edit.path} is not in UTF-8 and was not changed.`, 'Save it as UTF-8 first.');
    return (await handle.stat()).mode & 0o777;
  } finally {
    await handle.close();
  }
}

/** A hard link fails when the name is taken, which a rename would not: nobody's new file is overwritten. */
async function publishNew(temporary: string, target: string, edit: FileEdit): Promise<void> {
  try {
    await link(temporary, target);
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw failure('edit.changedOnDisk', `${edit.path} exists now.`, 'Read it and propose an edit of it.');
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'ENOSYS') throw thrown;
    const claim = await open(target, 'wx'); // no hard links here: claim the name first
    await claim.close();
    await rename(temporary, target);
    return;
  }
  await unlink(temporary);
}

const leftoverMs = 3_600_000;

/** What an edit in this folder left whose process was killed. No write takes an hour: nobody is still at those. Never fails: the edit is done. */
async function removeLeftovers(folder: HeldFolder): Promise<void> {
  for (const name of await readdir(folder.at('.')).catch(() => [])) {
    if (!/^\.[0-9a-f]{12}\.loupe-tmp$/.test(name)) continue;
    const old = await lstat(folder.at(name)).then(({ mtimeMs }) => Date.now() - mtimeMs > leftoverMs, () => false);
    if (old) await unlink(folder.at(name)).catch(() => undefined); // it only takes room
  }
}

const changedPlace = (path: string): Error =>
  failure('path.outsideWorkspace', `A folder of ${JSON.stringify(path)} was replaced meanwhile.`, 'Look at the folder, then try again.');

function asEditFailure(thrown: unknown, path: string): unknown {
  const { code } = thrown as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') return failure('edit.notApplied', `The disk is full: ${path} was not changed.`, 'Make room and try again.', thrown);
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return failure('edit.notApplied', `${path} may not be written.`, 'Check its permissions.', thrown);
  return toError(thrown).code === 'internal' ? failure('edit.notApplied', `${path} was not changed.`, 'Look into the Loupe log and try again.', thrown) : thrown;
}
