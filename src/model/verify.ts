import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, readFile, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeError } from '../base/errors.js';
import { type Result, err, ok } from '../base/result.js';

/**
 * SHA-256 of a whole file, hex. Reads in chunks of 1 MiB, giving other work a turn after each.
 * @throws AbortError, or what the file system says
 */
export async function sha256File(file: string, onProgress: (done: number, total: number) => void, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, 'r');
    const { size: total } = await handle.stat();
    const buffer = Buffer.allocUnsafe(1024 * 1024);
    for (let done = 0; ;) {
      signal.throwIfAborted();
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, done);
      if (bytesRead === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, bytesRead));
      done += bytesRead;
      onProgress(done, total);
    }
  } finally {
    await handle?.close();
  }
}

/** What was found out about a file, valid as long as the file's size and time of change are the same. */
interface Record { readonly size: number; readonly mtimeMs: number; readonly sha256: string }

/** Beside the file, or, in a folder for the records of files that lie in the folders of others, named after its whole path. */
const recordFile = (file: string, folder?: string): string => (folder === undefined
  ? path.join(path.dirname(file), `.${path.basename(file)}.sha256.json`)
  : path.join(folder, `${createHash('sha256').update(path.resolve(file)).digest('hex').slice(0, 32)}.json`));

/** Remembers a hash, so that gigabytes are not read again at every start. */
export async function rememberHash(file: string, sha256: string, folder?: string): Promise<void> {
  const { size, mtimeMs } = await stat(file);
  const record: Record = { size, mtimeMs, sha256 };
  const target = recordFile(file, folder);
  if (folder !== undefined) await mkdir(folder, { recursive: true });
  await writeFile(`${target}.new`, JSON.stringify(record));
  await rename(`${target}.new`, target);
}

async function remembered(file: string, folder?: string): Promise<string | undefined> {
  try {
    const { size, mtimeMs } = await stat(file);
    const record = JSON.parse(await readFile(recordFile(file, folder), 'utf8')) as Partial<Record>;
    return record.size === size && record.mtimeMs === mtimeMs && typeof record.sha256 === 'string' ? record.sha256 : undefined;
  } catch {
    return undefined; // no record, or a damaged one: the file is hashed again
  }
}

/**
 * SHA-256 of a model file, remembered as long as its size and time of change stay the same. `records` as in {@link verifyModel}.
 * @throws AbortError, or what the file system says
 */
export async function modelHash(file: string, signal: AbortSignal, onProgress: (done: number, total: number) => void = () => undefined, records?: string): Promise<string> {
  const known = await remembered(file, records);
  if (known !== undefined) return known;
  const found = await sha256File(file, onProgress, signal);
  await rememberHash(file, found, records).catch(() => undefined); // a read-only models folder only costs time
  return found;
}

/**
 * Checks a model file against the hash that the catalogue gives, before native code reads it: the whole file the first time and after
 * every change, nothing but its size and time otherwise. `records`: the folder for what was found out, where nothing may be written
 * beside the file. Errors: `model.hashMismatch`, `model.notFound`, `cancelled`.
 */
export async function verifyModel(
  file: string, sha256: string, signal: AbortSignal, onProgress: (done: number, total: number) => void = () => undefined, records?: string,
): Promise<Result<null>> {
  try {
    const found = await modelHash(file, signal, onProgress, records);
    if (found === sha256) return ok(null);
    return err(makeError('model.hashMismatch', `${path.basename(file)} is damaged: its content is not what was published.`,
      'Delete the file and download it again.', undefined, { expected: sha256, found }));
  } catch (thrown) {
    if (signal.aborted) return err(makeError('cancelled', 'Cancelled.', 'Try again when you are ready.'));
    return err(makeError('model.notFound', `The model file ${file} cannot be read.`, 'Check that you may read the file, or choose another model.', thrown));
  }
}
