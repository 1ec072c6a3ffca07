import { createHash, randomUUID } from 'node:crypto';
import { open, readdir, rename, rm, stat, statfs, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.js';
import { type LoupeError, LoupeFailure, makeError, messageOf, toError } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import { err, ok, type Result } from '../../base/result.js';
import { size } from '../../model/fit.js';
import { ensureStateDir, isAlive } from '../../model/sidecar/stateFiles.js';
import type { Forgotten, SnapshotInfo } from '../../protocol/memory.js';
import { type Descriptor, type Identity, identitySchema } from './descriptor.js';
import { loadMacKey } from './macKey.js';
import { type Read, readSnapshot, sealSnapshot, type Stamp, stampOf, verifySnapshot } from './snapshotFile.js';

export const defaultBudgetBytes = 4 * 1000 ** 3;
/** Left free on the disk, whatever the budget allows. */
const reserveBytes = 256 * 1024 * 1024;
const ending = '.kv';
const temporaryName = /^\.[0-9a-f]{40}\.(\d+)\.[0-9a-f-]{36}\.tmp$/;
const snapshotName = /^[0-9a-f]{40}\.kv$/;
/** A temporary file this old is left over, even where a process has the id of its writer. */
const leftoverMs = 24 * 3600_000;

export interface StoreOptions {
  /** A folder of its own in the user's cache: never in a workspace. */
  readonly dir: string;
  readonly keyFile: string;
  readonly budgetBytes: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Free bytes where `dir` lies; absent: what the file system says. */
  readonly freeBytes?: () => Promise<number>;
}

export interface Entry extends Read { readonly path: string }
export type Progress = (done: number, total: number) => void;
export type NewSnapshot = Omit<Descriptor, 'state'>;

interface Opening { readonly key: Buffer }

/**
 * Saved KV states in one folder, shared by all processes of the user: what another one saved or removed is seen at the next look. A file
 * appears with all its content under its name or not at all. What can be mended is an error as a value; thrown are AbortErrors, and `snapshot.failed` where
 * the folder cannot be used at all.
 */
export class SnapshotStore {
  private opening: Promise<Opening> | undefined;
  private readonly known = new Map<string, Entry>();
  /** Files whose content was found right, or written, by this process. */
  private readonly verified = new Map<string, Stamp>();
  private budget: number;

  constructor(private readonly options: StoreOptions) {
    this.budget = options.budgetBytes;
  }

  get budgetBytes(): number {
    return this.budget;
  }

  async setBudget(bytes: number): Promise<void> {
    this.budget = bytes;
    await this.evict(bytes, new Set());
  }

  /** All usable snapshots, the most recently used first. Files that are none are removed, leftovers of crashes too. */
  async list(): Promise<Entry[]> {
    const { key } = await this.open();
    const names = await readdir(this.options.dir);
    for (const path of this.known.keys()) if (!names.some((name) => join(this.options.dir, name) === path)) this.drop(path);
    for (const name of names.filter((file) => snapshotName.test(file))) {
      const path = join(this.options.dir, name);
      const stamp = await stampOf(path);
      if (stamp !== undefined && this.known.get(path)?.stamp === stamp) continue;
      const read = await readSnapshot(path, key);
      if (read.ok) this.known.set(path, { ...read.value, path });
      else await this.discard(path, read.error);
    }
    return [...this.known.values()].sort((a, b) => b.lastUsedAt - a.lastUsedAt);
  }

  /**
   * Saves what `write` puts into the file that it is given; `write` returns the bytes it wrote. About `expectedBytes` are made room for first.
   * A second save of the same state replaces the first.
   */
  async save(snapshot: NewSnapshot, expectedBytes: number, write: (path: string) => Promise<number>, signal: AbortSignal, onProgress: Progress): Promise<Result<Entry>> {
    let temporary: string | undefined;
    try {
      const { key } = await this.open();
      const { dir, logger } = this.options;
      const room = await this.makeRoom(expectedBytes);
      if (!room.ok) return room;
      const name = fileName(snapshot);
      temporary = join(dir, `.${name.slice(0, -ending.length)}.${process.pid}.${randomUUID()}.tmp`);
      await (await open(temporary, 'wx', 0o600)).close(); // the engine writes into a file that is there and that nobody else can read
      const written = await write(temporary);
      signal.throwIfAborted();
      await sealSnapshot(temporary, written, snapshot, key, signal, onProgress);
      const path = join(dir, name);
      await rename(temporary, path);
      temporary = undefined;
      await syncFolder(dir);
      const read = await readSnapshot(path, key);
      if (!read.ok) return read;
      const entry: Entry = { ...read.value, path };
      this.known.set(path, entry);
      this.verified.set(path, entry.stamp);
      await this.evict(this.budget, new Set([path]));
      logger.log('info', 'Saved a KV state', { tokens: snapshot.tokens, bytes: entry.bytes });
      return ok(entry);
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      return err(saveError(thrown));
    } finally {
      if (temporary !== undefined) await rm(temporary, { force: true });
    }
  }

  /** Makes sure that the content is what was saved; quick when this process has seen it before. A snapshot that fails is removed. */
  async verify(entry: Entry, signal: AbortSignal, onProgress: Progress): Promise<Result<null>> {
    const { key } = await this.open();
    if (this.verified.get(entry.path) === (await stampOf(entry.path))) return ok(null);
    const checked = await verifySnapshot(entry.path, key, signal, onProgress);
    if (checked.ok) {
      this.verified.set(entry.path, checked.value);
      return ok(null);
    }
    await this.discard(entry.path, checked.error);
    return checked;
  }

  /** Whether the file is still the one that was verified: to be asked after the engine has read it. */
  async isAsVerified(entry: Entry): Promise<boolean> {
    return this.verified.get(entry.path) !== undefined && this.verified.get(entry.path) === (await stampOf(entry.path));
  }

  /** Makes it the last to be evicted. */
  async touch(entry: Entry): Promise<void> {
    const whole = await this.isAsVerified(entry);
    const now = new Date(this.options.clock.now());
    try {
      await utimes(entry.path, now, now);
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') this.options.logger.log('warn', 'The time of a saved KV state cannot be set', { error: messageOf(thrown) });
      return;
    }
    const stamp = await stampOf(entry.path);
    if (stamp === undefined) return;
    this.known.set(entry.path, { ...entry, stamp, lastUsedAt: now.getTime() });
    if (whole) this.verified.set(entry.path, stamp);
  }

  /** Removes the snapshots of one memory, or all; `except` stay. */
  async forget(memory: string | undefined, except: (entry: Entry) => boolean = () => false): Promise<Forgotten> {
    const gone = (await this.list()).filter((entry) => (memory === undefined || entry.descriptor.memory === memory) && !except(entry));
    for (const { path } of gone) await this.remove(path);
    return { snapshots: gone.length, bytes: gone.reduce((sum, { bytes }) => sum + bytes, 0) };
  }

  async discard(path: string, why: LoupeError): Promise<void> {
    this.options.logger.log('warn', 'A saved KV state is not used', { path, code: why.code, message: why.message, cause: why.cause });
    if (why.code === 'snapshot.damaged') await this.remove(path);
    else this.drop(path);
  }

  private async makeRoom(bytes: number): Promise<Result<null>> {
    if (bytes > this.budget) {
      return err(makeError('snapshot.overBudget', `The state takes ${size(bytes)}, and all saved states together may take ${size(this.budget)}.`, 'Allow more disk space for the memory, or remember less.'));
    }
    await this.evict(this.budget - bytes, new Set());
    const free = await this.free();
    if (free >= bytes + reserveBytes) return ok(null);
    return err(makeError('snapshot.diskFull', `The disk has ${size(free)} left; the state takes ${size(bytes)}, and some is left for others.`, 'Free some disk space; until then the files are read anew each time.'));
  }

  private async free(): Promise<number> {
    if (this.options.freeBytes) return this.options.freeBytes();
    const { bavail, bsize } = await statfs(this.options.dir);
    return bavail * bsize;
  }

  /** Removes the least recently used until at most `limit` bytes are left. */
  private async evict(limit: number, spared: ReadonlySet<string>): Promise<void> {
    const entries = await this.list();
    let total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { path, bytes } of entries.reverse()) {
      if (total <= limit) return;
      if (spared.has(path)) continue;
      await this.remove(path);
      total -= bytes;
    }
  }

  private async remove(path: string): Promise<void> {
    this.drop(path);
    try {
      await rm(path, { force: true });
    } catch (thrown) {
      // In use on Windows, or a folder: it is tried again at the next look.
      this.options.logger.log('warn', 'A saved KV state cannot be removed', { path, error: messageOf(thrown) });
    }
  }

  private drop(path: string): void {
    this.known.delete(path);
    this.verified.delete(path);
  }

  private open(): Promise<Opening> {
    return (this.opening ??= this.prepare().catch((thrown: unknown) => {
      this.opening = undefined;
      throw new LoupeFailure(makeError('snapshot.failed', 'The folder of saved states cannot be used.', 'Loupe works without them; look into the log of the sidecar.', toError(thrown).message));
    }));
  }

  private async prepare(): Promise<Opening> {
    await ensureStateDir(this.options.dir);
    await this.sweep();
    return { key: await loadMacKey(this.options.keyFile) };
  }

  /** What a process left that ended in the middle of a save. */
  private async sweep(): Promise<void> {
    for (const name of await readdir(this.options.dir)) {
      const pid = temporaryName.exec(name)?.[1];
      if (pid === undefined) continue;
      const path = join(this.options.dir, name);
      const old = await stat(path).then(({ mtimeMs }) => this.options.clock.now() - mtimeMs > leftoverMs, () => false);
      if (old || !isAlive(Number(pid))) await rm(path, { force: true });
    }
  }
}

export const infoOf = ({ descriptor, bytes, lastUsedAt }: Entry): SnapshotInfo => ({
  memory: descriptor.memory, model: descriptor.model.name, kv: descriptor.kv, tokens: descriptor.tokens, bytes, f16Bytes: descriptor.f16Bytes,
  createdAt: descriptor.createdAt, lastUsedAt,
});

/** The same state of the same memory has the same name, whoever saves it. */
const fileName = (snapshot: NewSnapshot): string =>
  `${createHash('sha256').update(JSON.stringify([snapshot.memory, identityOf(snapshot), snapshot.borders.at(-1)])).digest('hex').slice(0, 40)}${ending}`;

export const identityOf = ({ model, engine, formatVersion, kv, shape }: Identity): Identity => identitySchema.parse({ model, engine, formatVersion, kv, shape });

function saveError(thrown: unknown): LoupeError {
  if (thrown instanceof LoupeFailure) return thrown.error;
  const { code } = thrown as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') {
    return makeError('snapshot.diskFull', 'The disk is full: the state could not be saved.', 'Free some disk space; until then the files are read anew each time.', thrown);
  }
  return makeError('snapshot.failed', 'The state could not be saved.', 'Loupe works without it; look into the log of the sidecar.', thrown);
}

async function syncFolder(dir: string): Promise<void> {
  if (process.platform === 'win32') return; // a folder cannot be opened there
  const folder = await open(dir, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
