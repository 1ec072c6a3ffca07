import { mkdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { type LoupeError, LoupeFailure, failure, makeError, messageOf } from '../base/errors.js';
import { type Result, err, ok } from '../base/result.js';
import type { CatalogueEntry } from './catalogue.js';
import { type FetchPartDeps, fetchPart, hostOf } from './downloadPart.js';
import { size } from './fit.js';
import { type FileLock, takeLock } from './fileLock.js';
import { readGguf } from './gguf.js';
import { mirrored } from './mirror.js';
import { rememberHash, sha256File, verifyModel } from './verify.js';

export interface DownloadProgress {
  /** `waiting`: another window downloads the same file. */
  readonly phase: 'waiting' | 'download' | 'verify' | 'done';
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** In the last step: the hash of the file as it lies on the disk. */
  readonly sha256?: string;
}

export type DownloadEntry = Pick<CatalogueEntry, 'name' | 'file' | 'sizeBytes' | 'sha256' | 'url'>;

type Addressed = DownloadEntry & { readonly url: string };

export interface DownloadPlace {
  /** Folder of the finished file. */
  readonly directory: string;
  /** Address that serves the hub's files under the same paths; empty or absent: the hub itself. */
  readonly mirror?: string;
}

const lockPollMs = 500;

/**
 * Fetches a model into a folder and returns its path. What arrives is written to `<file>.part` and only renamed after
 * its length, hash and header were checked, so the file is either whole or not there; an older file of that name stays until
 * then. Cancelled or cut off, the next call goes on where this one stopped. Two processes may call it for the same file.
 * Errors: `download.failed`, `download.diskFull`, `download.cancelled`, `model.hashMismatch`, `model.notGguf`, `model.truncated`.
 */
export async function downloadModel(
  wanted: DownloadEntry, { directory, mirror = '' }: DownloadPlace, onProgress: (progress: DownloadProgress) => void, signal: AbortSignal, deps: FetchPartDeps = {},
): Promise<Result<string>> {
  const target = path.join(directory, wanted.file);
  if (!wanted.url) {
    return err(makeError('download.failed', `There is no public address for ${wanted.name}.`, 'Fetch the file yourself and choose it with "Loupe: Choose a GGUF File".'));
  }
  let lock: FileLock | undefined;
  let entry: Addressed = { ...wanted, url: wanted.url };
  try {
    entry = { ...entry, url: mirrored(entry.url, mirror) };
    await mkdir(directory, { recursive: true });
    lock = await waitForLock(`${target}.lock`, `${target}.part`, entry, onProgress, signal);
    if (await isComplete(target, entry, signal)) {
      onProgress({ phase: 'done', doneBytes: entry.sizeBytes, totalBytes: entry.sizeBytes });
      return ok(target);
    }
    await fetchPart({ url: entry.url, part: `${target}.part`, sizeBytes: entry.sizeBytes, name: entry.name }, (doneBytes) =>
      onProgress({ phase: 'download', doneBytes, totalBytes: entry.sizeBytes }), signal, deps);
    const sha256 = await check(`${target}.part`, entry, onProgress, signal);
    await rename(`${target}.part`, target);
    await rm(`${target}.part.json`, { force: true });
    await rememberHash(target, sha256).catch(() => undefined); // only saves time later
    onProgress({ phase: 'done', doneBytes: entry.sizeBytes, totalBytes: entry.sizeBytes, sha256 });
    return ok(target);
  } catch (thrown) {
    return err(describe(thrown, entry, directory, signal));
  } finally {
    await lock?.release();
  }
}

/** Bytes that a download which was cancelled or cut off has left, to go on from. */
export async function keptBytes(entry: Pick<CatalogueEntry, 'file'>, directory: string): Promise<number> {
  return (await stat(path.join(directory, `${entry.file}.part`)).catch(() => undefined))?.size ?? 0;
}

async function waitForLock(
  file: string, part: string, entry: DownloadEntry, onProgress: (progress: DownloadProgress) => void, signal: AbortSignal,
): Promise<FileLock> {
  for (;;) {
    signal.throwIfAborted();
    const lock = await takeLock(file);
    if (lock) return lock;
    const doneBytes = (await stat(part).catch(() => undefined))?.size ?? 0;
    onProgress({ phase: 'waiting', doneBytes, totalBytes: entry.sizeBytes });
    await new Promise((resolve) => setTimeout(resolve, lockPollMs));
  }
}

async function isComplete(target: string, entry: DownloadEntry, signal: AbortSignal): Promise<boolean> {
  const found = await stat(target).catch(() => undefined);
  if (found?.size !== entry.sizeBytes) return false;
  if (entry.sha256 !== null) return (await verifyModel(target, entry.sha256, signal)).ok;
  return (await readGguf(target)).ok;
}

async function check(part: string, entry: Addressed, onProgress: (progress: DownloadProgress) => void, signal: AbortSignal): Promise<string> {
  const sha256 = await sha256File(part, (doneBytes, totalBytes) => onProgress({ phase: 'verify', doneBytes, totalBytes }), signal);
  if (entry.sha256 !== null && sha256 !== entry.sha256) {
    await discard(part);
    throw failure('model.hashMismatch', `What arrived as ${entry.name} is not the published file, so it was thrown away.`,
      `Try again; if it happens again, ${hostOf(entry)} has another file, or something between you and it changes the data.`, undefined, { expected: entry.sha256, found: sha256 });
  }
  const header = await readGguf(part);
  if (!header.ok) {
    await discard(part);
    throw new LoupeFailure({ ...header.error, next: 'Try the download again later.' });
  }
  return sha256;
}

async function discard(part: string): Promise<void> {
  await rm(part, { force: true });
  await rm(`${part}.json`, { force: true });
}

function describe(thrown: unknown, entry: DownloadEntry, directory: string, signal: AbortSignal): LoupeError {
  if (signal.aborted) {
    return makeError('download.cancelled', `The download of ${entry.name} was cancelled. What arrived is kept.`, 'Start it again to go on where it stopped.');
  }
  if (thrown instanceof LoupeFailure) return thrown.error;
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return makeError('download.diskFull', `The disk is full: ${entry.name} needs ${size(entry.sizeBytes)} in ${directory}. What arrived is kept.`,
      'Free some space, or set loupe.model.directory to a folder on another disk, and start the download again.', thrown);
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return makeError('download.failed', `Loupe may not write to ${directory}.`, 'Set loupe.model.directory to a folder that you may write to.', thrown);
  }
  return makeError('download.failed', `The download of ${entry.name} failed: ${messageOf(thrown)}.`, 'Check your network and start it again; it goes on where it stopped.', thrown);
}
