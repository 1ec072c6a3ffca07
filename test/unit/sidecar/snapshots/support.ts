import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../../src/base/clock.js';
import { silentLogger } from '../../../../src/base/logger.js';
import { type NewSnapshot, SnapshotStore, type StoreOptions } from '../../../../src/sidecar/snapshots/store.js';
import { chainHashes } from '../../../../src/sidecar/snapshots/tokenChain.js';

export const signal = new AbortController().signal;
export const quiet = (): void => undefined;

export const tokensOf = (length: number): number[] => Array.from({ length }, (_, i) => (i * 7919) % 50_000);

export function snapshot(more: Partial<NewSnapshot> = {}): NewSnapshot {
  const ends = [10, 20, 30];
  const hashes = chainHashes(tokensOf(30), ends);
  return {
    memory: 'repo', model: { sha256: 'a'.repeat(64), name: 'Test', bytes: 1000 }, engine: 'loupe b1 cpu', formatVersion: 3,
    kv: { keys: 'kv5', values: 'kv4', windowF16: true, f16Rows: 704 }, shape: '[]', tokens: 30, borders: ends.map((tokens, i) => ({ tokens, hash: hashes[i] ?? '' })),
    f16Bytes: 5000, createdAt: 1, ...more,
  };
}

/** What the engine would do: content of a size. */
export const writes = (content: Buffer | number) => async (path: string): Promise<number> => {
  const bytes = typeof content === 'number' ? randomBytes(content) : content;
  await writeFile(path, bytes);
  return bytes.length;
};

export class Folder {
  private constructor(readonly root: string) {}

  static async make(): Promise<Folder> {
    return new Folder(await mkdtemp(join(tmpdir(), 'loupe-kvs-')));
  }

  readonly dir = (): string => join(this.root, 'memory');

  store(more: Partial<StoreOptions> = {}): SnapshotStore {
    return new SnapshotStore({ dir: this.dir(), keyFile: join(this.root, 'memory.key'), budgetBytes: 1e9, clock: systemClock, logger: silentLogger, freeBytes: () => Promise.resolve(1e12), ...more });
  }

  end = (): Promise<void> => rm(this.root, { recursive: true, force: true });
}
