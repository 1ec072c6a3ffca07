import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from './hash.js';

/** One file for each repository, so that forgetting one leaves nothing of it. `storage` is a folder of the user. */
export const storeFile = (storage: string, root: string): string => join(storage, `${sha256(root).slice(0, 32)}.sqlite`);

/** Removes a store with all that belongs to it. */
export function removeStore(file: string): void {
  for (const ending of ['', '-wal', '-shm', '-journal', '.damaged']) rmSync(file + ending, { force: true });
}
