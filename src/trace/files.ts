import { constants } from 'node:fs';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';

/**
 * Appends whole lines to a file and brings them to the disk. When that fails (disk full), the file is what it was before.
 * A torn last line of an earlier crash is closed first, so that it can never swallow the new one.
 */
export async function appendLine(handle: FileHandle, line: string): Promise<{ readonly offset: number; readonly length: number }> {
  const { size } = await handle.stat();
  const torn = size > 0 && !(await endsLine(handle, size));
  const bytes = Buffer.from(`${torn ? '\n' : ''}${line}\n`, 'utf8');
  try {
    let written = 0;
    while (written < bytes.length) written += (await handle.write(bytes, written, bytes.length - written, size + written)).bytesWritten;
    await handle.datasync();
  } catch (thrown) {
    await handle.truncate(size).catch(() => undefined); // the first failure counts; readers skip a torn line
    throw thrown;
  }
  const start = size + (torn ? 1 : 0);
  return { offset: start, length: bytes.length - (torn ? 1 : 0) - 1 };
}

async function endsLine(handle: FileHandle, size: number): Promise<boolean> {
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] === 0x0a;
}

/** Opens for reading and writing, created private to the user. */
export function openPrivate(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
}

/** Creates or replaces a file, private to the user, in one step: it is there whole and on disk, or as it was before. */
export async function createFile(path: string, content: string, pid: number): Promise<void> {
  const temporary = `${path}.${pid}.tmp`;
  try {
    const handle = await open(temporary, 'w', 0o600);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (thrown) {
    await rm(temporary, { force: true });
    throw thrown;
  }
}

/** The process that was writing this file, when it is a temporary one. */
export function temporaryOwner(name: string): number | undefined {
  const pid = /\.json\.(\d+)\.tmp$/.exec(name)?.[1];
  return pid === undefined ? undefined : Number(pid);
}
