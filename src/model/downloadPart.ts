import { type FileHandle, open, readFile, rm, stat, statfs, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { LoupeFailure, failure, messageOf } from '../base/errors.js';
import { size } from './fit.js';
import { isLoopback } from './loopback.js';

export interface PartRequest {
  readonly url: string;
  /** The file that grows; `<part>.json` beside it says which version of the remote file it is a part of. */
  readonly part: string;
  readonly sizeBytes: number;
  readonly name: string;
}

/** For tests: other ways to the network, the disk and the time. */
export interface FetchPartDeps {
  readonly fetch?: typeof globalThis.fetch;
  readonly write?: (handle: FileHandle, chunk: Uint8Array, position: number) => Promise<void>;
  readonly freeBytes?: (directory: string) => Promise<number>;
  /** Between attempts; a download that makes progress is tried again without end. */
  readonly retryMs?: number;
  readonly stallMs?: number;
}

const maximumRedirects = 5;
/** Attempts in a row that bring nothing. */
const fruitlessAttempts = 4;
/** Left free on the disk. */
const spareBytes = 256 * 1024 * 1024;
const progressMs = 100;

/** The connection ended before the file did: worth another attempt. */
class Cut extends Error {
  override readonly name = 'Cut';
}

/**
 * Makes the part as long as the file, from where it is: by a range request that only holds for the same version of the file
 * (RFC 9110, If-Range), from the start when the server knows no ranges or has another version by now.
 * @throws LoupeFailure, AbortError, or what the file system says
 */
export async function fetchPart(request: PartRequest, onProgress: (done: number) => void, signal: AbortSignal, deps: FetchPartDeps): Promise<void> {
  let fruitless = 0;
  for (;;) {
    signal.throwIfAborted();
    const before = await resumePoint(request);
    if (before.length === request.sizeBytes) return;
    await ensureSpace(request, before.length, deps);
    try {
      await attempt(request, before, onProgress, signal, deps);
      return;
    } catch (thrown) {
      if (!(thrown instanceof Cut) || signal.aborted) throw thrown;
      const after = await resumePoint(request);
      fruitless = after.length > before.length ? 0 : fruitless + 1;
      if (fruitless >= fruitlessAttempts) {
        throw failure('download.failed', `The download of ${request.name} stopped: ${thrown.message}. What arrived is kept.`,
          'Check your network and start it again; it goes on where it stopped.', thrown.cause);
      }
      await new Promise((resolve) => setTimeout(resolve, (deps.retryMs ?? 1000) * 2 ** fruitless));
    }
  }
}

interface ResumePoint { readonly length: number; /** ETag or date of the remote file. */ readonly version: string }

async function resumePoint({ part, url, sizeBytes }: PartRequest): Promise<ResumePoint> {
  const length = (await stat(part).catch(() => undefined))?.size ?? 0;
  const note = await readFile(`${part}.json`, 'utf8').then((text) => JSON.parse(text) as { url?: unknown; version?: unknown }).catch(() => undefined);
  // Without its note, or where the server names no versions, nobody knows what the part is a part of.
  if (length === 0 || length > sizeBytes || note?.url !== url || typeof note.version !== 'string') return { length: 0, version: '' };
  return { length, version: note.version };
}

async function ensureSpace(request: PartRequest, have: number, deps: FetchPartDeps): Promise<void> {
  const directory = path.dirname(request.part);
  const free = await (deps.freeBytes ?? freeBytes)(directory);
  const missing = request.sizeBytes - have + spareBytes - free;
  if (missing <= 0) return;
  throw failure('download.diskFull', `There is not enough space in ${directory}: ${request.name} needs ${size(missing)} more than is free.`,
    'Free some space, or set loupe.model.directory to a folder on another disk, and start the download again.', undefined, { missingBytes: missing });
}

async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

async function attempt(request: PartRequest, from: ResumePoint, onProgress: (done: number) => void, signal: AbortSignal, deps: FetchPartDeps): Promise<void> {
  const stall = new AbortController();
  const stallMs = deps.stallMs ?? 60_000;
  let timer = setTimeout(() => stall.abort(), stallMs);
  let handle: FileHandle | undefined;
  try {
    const response = await open200(request, from, AbortSignal.any([signal, stall.signal]), deps.fetch ?? globalThis.fetch);
    const offset = await startOf(response, request, from);
    handle = await open(request.part, offset === 0 ? 'w' : 'r+');
    // The note comes after the old part was emptied: a part never stands beside the note of another version.
    await writeFile(`${request.part}.json`, JSON.stringify({ url: request.url, version: versionOf(response) }));
    let done = offset;
    let reported = 0;
    onProgress(done);
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      clearTimeout(timer);
      timer = setTimeout(() => stall.abort(), stallMs);
      if (done + chunk.length > request.sizeBytes) throw await wrongLength(request, handle);
      await (deps.write ?? writeAll)(handle, chunk, done);
      done += chunk.length;
      const now = performance.now();
      if (now - reported < progressMs && done < request.sizeBytes) continue;
      reported = now;
      onProgress(done);
    }
    if (done < request.sizeBytes) throw new Cut('the connection ended too early');
    await handle.sync();
  } catch (thrown) {
    if (signal.aborted || thrown instanceof LoupeFailure || thrown instanceof Cut || isFileError(thrown)) throw thrown;
    throw new Cut(stall.signal.aborted ? 'nothing arrived for a minute' : connectionProblem(thrown), { cause: thrown });
  } finally {
    clearTimeout(timer);
    stall.abort(); // lets go of a connection that is left early
    await handle?.close();
  }
}

/** Follows redirects by hand: to https only, except within this machine. */
async function open200(request: PartRequest, from: ResumePoint, signal: AbortSignal, fetch: typeof globalThis.fetch): Promise<Response> {
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (from.length > 0) {
    headers['range'] = `bytes=${from.length}-`;
    headers['if-range'] = from.version;
  }
  let url = new URL(request.url);
  for (let hop = 0; hop <= maximumRedirects; hop++) {
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url) && isLoopback(new URL(request.url)))) {
      throw failure('download.failed', `The download of ${request.name} leads to ${url.host} without encryption.`, 'Fetch the file in a browser and choose it with "Loupe: Choose a GGUF File".');
    }
    const response = await fetch(url, { headers, signal, redirect: 'manual' });
    const location = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || !location || !URL.canParse(location, url.href)) return response;
    await response.body?.cancel();
    url = new URL(location, url);
  }
  throw failure('download.failed', `The download of ${request.name} is redirected in a circle.`, 'Try again later.');
}

/** Where in the file the response begins; throws when it is not the file at all. */
async function startOf(response: Response, request: PartRequest, from: ResumePoint): Promise<number> {
  const { status, headers } = response;
  if (status === 416) {
    await rm(request.part, { force: true });
    throw new Cut('the server could not go on from there');
  }
  if (status === 429 || status >= 500) throw new Cut(`the server answered with status ${status}`);
  if (status !== 200 && status !== 206) {
    throw failure('download.failed', `${hostOf(request)} answered with status ${status} when asked for ${request.name}.`,
      status === 401 || status === 403 ? 'The file wants a login: fetch it in a browser and choose it with "Loupe: Choose a GGUF File".' : 'Try again later, or choose another model.', undefined, { status });
  }
  if (headers.get('content-type')?.includes('text/html')) {
    throw failure('download.failed', `A web page came instead of ${request.name}.`, 'Your network may want a login: open a page in the browser, then start the download again.');
  }
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '');
  if (status === 206 && (!range || Number(range[1]) !== from.length)) throw await startOver(request, 'the server sent another range');
  const total = status === 206 ? range?.[2] : headers.get('content-length');
  if (total && total !== '*' && Number(total) !== request.sizeBytes) {
    throw failure('download.failed', `${hostOf(request)} offers ${request.name} with ${size(Number(total))} instead of ${size(request.sizeBytes)}: it is another file by now.`, 'Update Loupe, or choose another model.');
  }
  return status === 206 ? from.length : 0;
}

async function startOver(request: PartRequest, why: string): Promise<Cut> {
  await rm(request.part, { force: true });
  return new Cut(why);
}

async function wrongLength(request: PartRequest, handle: FileHandle): Promise<LoupeFailure> {
  await handle.truncate(0);
  return failure('download.failed', `More arrived than ${request.name} has, so it was thrown away.`, `Try again; if it happens again, something between you and ${hostOf(request)} changes the data.`);
}

/** Who answers first, for messages: a redirect may lead on. */
export const hostOf = ({ url }: { readonly url: string }): string => new URL(url).host;

/** Weak tags do not promise the same bytes, so they cannot be used to go on. */
function versionOf(response: Response): string | undefined {
  const tag = response.headers.get('etag');
  return tag && !tag.startsWith('W/') ? tag : response.headers.get('last-modified') ?? undefined;
}

async function writeAll(handle: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < chunk.length;) {
    written += (await handle.write(chunk, written, chunk.length - written, position + written)).bytesWritten;
  }
}

const isFileError = (thrown: unknown): boolean =>
  thrown instanceof Error && 'code' in thrown && ['ENOSPC', 'EDQUOT', 'EACCES', 'EPERM', 'EROFS', 'EIO', 'ENOENT', 'EFBIG'].includes(String(thrown.code));

function connectionProblem(thrown: unknown): string {
  const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
  return cause instanceof Error && 'code' in cause ? `the connection failed (${String(cause.code)})` : messageOf(cause);
}
