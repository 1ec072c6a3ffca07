import { constants } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { makeError } from '../../base/errors.js';
import { err, ok, type Result } from '../../base/result.js';
import { hashContent, readFully } from './contentHash.js';
import { damaged, decodeDescriptor, decodeFooter, type Descriptor, encodeEnd, footerBytes } from './descriptor.js';

/** Tells a file from another one that took its name, and from itself after a change. */
export type Stamp = string;

export interface Opened { readonly file: FileHandle; readonly bytes: number; readonly stamp: Stamp; readonly lastUsedAt: number }

const windows = process.platform === 'win32';

/** Opens a regular file of this user for reading: never a link, a pipe or a folder. The caller closes it. */
export async function openOwn(path: string, flags: number = constants.O_RDONLY): Promise<Result<Opened>> {
  let file: FileHandle;
  try {
    if (windows && (await lstat(path)).isSymbolicLink()) return unsafe('it is a link');
    file = await open(path, flags | (windows ? 0 : constants.O_NOFOLLOW | constants.O_NONBLOCK));
  } catch (thrown) {
    return unsafe(thrown);
  }
  const stat = await file.stat({ bigint: true });
  if (!stat.isFile() || (process.getuid !== undefined && stat.uid !== BigInt(process.getuid()))) {
    await file.close();
    return unsafe('it is no file of this user');
  }
  const stamp = [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(' ');
  return ok({ file, bytes: Number(stat.size), stamp, lastUsedAt: Number(stat.mtimeNs / 1_000_000n) });
}

const unsafe = (cause: unknown): Result<never> =>
  err(makeError('snapshot.unsafeFile', 'A saved state cannot be opened.', 'Loupe leaves it alone and reads the files again.', cause));

export interface Read extends Omit<Opened, 'file'> { readonly descriptor: Descriptor }

/** Reads and authenticates the description of a snapshot. The state itself is not looked at. */
export async function readSnapshot(path: string, key: Uint8Array): Promise<Result<Read>> {
  const opened = await openOwn(path);
  if (!opened.ok) return opened;
  const { file, ...rest } = opened.value;
  try {
    const descriptor = await readEnd(file, rest.bytes, key);
    return descriptor.ok ? ok({ ...rest, descriptor: descriptor.value }) : descriptor;
  } catch (thrown) {
    return damaged('it cannot be read', thrown);
  } finally {
    await file.close();
  }
}

async function readEnd(file: FileHandle, bytes: number, key: Uint8Array): Promise<Result<Descriptor>> {
  if (bytes < footerBytes) return damaged('it is too short');
  const footer = Buffer.alloc(footerBytes);
  await readFully(file, footer, footerBytes, bytes - footerBytes);
  const sizes = decodeFooter(footer, bytes);
  if (!sizes.ok) return sizes;
  const text = Buffer.alloc(sizes.value.descriptorBytes);
  await readFully(file, text, text.length, sizes.value.stateBytes);
  return decodeDescriptor(text, footer, sizes.value, key);
}

/** Checks the state too. Returns the stamp of the file that was checked. Throws an AbortError. */
export async function verifySnapshot(path: string, key: Uint8Array, signal: AbortSignal, onProgress: (done: number, total: number) => void): Promise<Result<Stamp>> {
  const opened = await openOwn(path);
  if (!opened.ok) return opened;
  const { file, bytes, stamp } = opened.value;
  try {
    const descriptor = await readEnd(file, bytes, key);
    if (!descriptor.ok) return descriptor;
    const { state } = descriptor.value;
    return (await hashContent(file, state.bytes, signal, onProgress)) === state.sha256 ? ok(stamp) : damaged('its content was changed');
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    return damaged('it cannot be read', thrown);
  } finally {
    await file.close();
  }
}

export async function stampOf(path: string): Promise<Stamp | undefined> {
  const opened = await openOwn(path);
  if (!opened.ok) return undefined;
  await opened.value.file.close();
  return opened.value.stamp;
}

/**
 * Makes a snapshot of a file that the engine has just written: hashes it, appends the description and waits until all of it is on the disk.
 * Throws what the file system says, an AbortError, or an Error when the file has another size than the engine says it wrote.
 */
export async function sealSnapshot(
  path: string, stateBytes: number, descriptor: Omit<Descriptor, 'state'>, key: Uint8Array, signal: AbortSignal, onProgress: (done: number, total: number) => void,
): Promise<Descriptor> {
  const opened = await openOwn(path, constants.O_RDWR);
  if (!opened.ok) throw new Error(opened.error.cause ?? opened.error.message);
  const { file, bytes } = opened.value;
  try {
    // The C library's last write goes out when the file is closed, and nobody looks whether it did.
    if (bytes !== stateBytes) throw Object.assign(new Error(`${stateBytes} bytes were written, ${bytes} arrived`), bytes < stateBytes ? { code: 'ENOSPC' } : {});
    const whole: Descriptor = { ...descriptor, state: { bytes, sha256: await hashContent(file, bytes, signal, onProgress) } };
    const end = encodeEnd(whole, key);
    for (let at = 0; at < end.length;) at += (await file.write(end, at, end.length - at, bytes + at)).bytesWritten;
    await file.sync();
    return whole;
  } finally {
    await file.close();
  }
}
