import type { FileFacts } from '../symbols/facts.js';

/** What is known of a file on disk without opening it. */
export interface KnownFile {
  readonly path: string;
  /** As `WalkedFile.stamp`. */
  readonly stamp: string;
  /** SHA-256 of the content in hex; empty for a file that was read and left out. */
  readonly hash: string;
}

export interface IndexBatch {
  readonly files?: readonly KnownFile[];
  /** Paths that are no longer known. */
  readonly gone?: readonly string[];
  readonly facts?: readonly { readonly hash: string; readonly language: string; readonly facts: FileFacts }[];
}

/**
 * What the index of one repository keeps between two runs. All of it can be computed again: a store that loses something makes the next start slower,
 * nothing else. Errors of the storage are the store's own matter.
 */
export interface IndexStore {
  /** `memory`: nothing outlives the process. */
  readonly kind: 'sqlite' | 'memory';
  files(): ReadonlyMap<string, KnownFile>;
  /** By content hash and the language's id. */
  facts(hash: string, language: string): FileFacts | undefined;
  /** Writes what one batch of work found, wholly or not at all. */
  write(batch: IndexBatch): void;
  /** Forgets facts of contents that no known file has any more. */
  prune(): void;
  /** Numbers of tokens by text hash, for one tokenizer. */
  tokens(tokenizer: string, hashes: readonly string[]): ReadonlyMap<string, number>;
  writeTokens(tokenizer: string, counts: ReadonlyMap<string, number>): void;
  /** A value as it was put; undefined when there is none or it is damaged. */
  value(key: string): string | undefined;
  putValue(key: string, value: string): void;
  close(): void;
}

/** For processes without SQLite, and for tests. */
export class MemoryStore implements IndexStore {
  readonly kind = 'memory';
  private readonly known = new Map<string, KnownFile>();
  private readonly found = new Map<string, FileFacts>();
  private readonly counts = new Map<string, number>();
  private readonly values = new Map<string, string>();

  files(): ReadonlyMap<string, KnownFile> {
    return new Map(this.known);
  }

  facts(hash: string, language: string): FileFacts | undefined {
    return this.found.get(`${language} ${hash}`);
  }

  write({ files = [], gone = [], facts = [] }: IndexBatch): void {
    for (const path of gone) this.known.delete(path);
    for (const file of files) this.known.set(file.path, file);
    for (const one of facts) this.found.set(`${one.language} ${one.hash}`, one.facts);
  }

  prune(): void {
    const used = new Set([...this.known.values()].map(({ hash }) => hash));
    for (const key of this.found.keys()) if (!used.has(key.slice(key.indexOf(' ') + 1))) this.found.delete(key);
  }

  tokens(tokenizer: string, hashes: readonly string[]): ReadonlyMap<string, number> {
    return new Map(hashes.flatMap((hash) => {
      const count = this.counts.get(`${tokenizer} ${hash}`);
      return count === undefined ? [] : [[hash, count] as const];
    }));
  }

  writeTokens(tokenizer: string, counts: ReadonlyMap<string, number>): void {
    for (const [hash, count] of counts) this.counts.set(`${tokenizer} ${hash}`, count);
  }

  value(key: string): string | undefined {
    return this.values.get(key);
  }

  putValue(key: string, value: string): void {
    this.values.set(key, value);
  }

  close(): void {
    this.known.clear();
  }
}
