import { createHash, webcrypto } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';

/** Part of the file format: the content is hashed in pieces of this size. */
const pieceBytes = 4 * 1024 * 1024;
/** Pieces in memory at the same time; Node's thread pool has four threads. */
const atOnce = 4;

/**
 * SHA-256 over the SHA-256 of each piece of the first `bytes` bytes, hex. Pieces are read and hashed in the thread pool, several at a time: neither the
 * event loop nor one core alone carries it. Throws an AbortError, what the file system says, or RangeError when the file is shorter.
 */
export async function hashContent(file: FileHandle, bytes: number, signal: AbortSignal, onProgress: (done: number, total: number) => void): Promise<string> {
  const pieces = Math.ceil(bytes / pieceBytes);
  const hashes = new Array<Uint8Array>(pieces);
  let next = 0;
  let done = 0;
  const worker = async (): Promise<void> => {
    const buffer = Buffer.allocUnsafeSlow(Math.min(pieceBytes, bytes));
    for (let piece = next++; piece < pieces; piece = next++) {
      signal.throwIfAborted();
      const start = piece * pieceBytes;
      const length = Math.min(pieceBytes, bytes - start);
      await readFully(file, buffer, length, start);
      hashes[piece] = new Uint8Array(await webcrypto.subtle.digest('SHA-256', buffer.subarray(0, length)));
      done += length;
      onProgress(done, bytes);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, pieces) }, worker));
  const all = createHash('sha256');
  for (const hash of hashes) all.update(hash);
  return all.digest('hex');
}

/** Fills the first `length` bytes of `buffer` from `position` on; throws RangeError when the file ends before. */
export async function readFully(file: FileHandle, buffer: Buffer, length: number, position: number): Promise<void> {
  for (let at = 0; at < length;) {
    const { bytesRead } = await file.read(buffer, at, length - at, position + at);
    if (bytesRead === 0) throw new RangeError('the file ends too early');
    at += bytesRead;
  }
}
