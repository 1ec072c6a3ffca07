import { lstat, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../base/clock.js';
import type { IndexReport } from '../../protocol/context.js';
import type { LeftOutReason } from '../files/leftOut.js';
import { readText, walk, type Walk, type WalkedFile } from '../files/walk.js';
import type { Focus } from '../graph/ranking.js';
import type { RepositorySnapshot } from '../plan/snapshot.js';
import { sha256 } from '../store/hash.js';
import type { IndexStore, KnownFile } from '../store/indexStore.js';
import { type FileFacts, noFacts } from '../symbols/facts.js';
import { languageOf } from '../symbols/languages.js';
import type { SymbolParser } from '../symbols/parser.js';

export interface IndexPorts {
  readonly store: IndexStore;
  readonly parser: SymbolParser;
  readonly clock: Clock;
  /** How often the history touches each file. */
  changeCounts(root: string, signal: AbortSignal): Promise<ReadonlyMap<string, number>>;
}

/** Files of the largest repository that is indexed. */
const mostFiles = 20_000;
/** Files that are read together and written together. */
const batch = 16;
/** A file written so short a time ago may be written again without its times changing. */
const clockGrainMs = 2_000;

interface Indexed { readonly hash: string; readonly bytes: number; readonly facts: FileFacts }

/**
 * The files and symbols of one repository, as last seen. Only what has another stamp than before is read, and only what has content that was never seen is
 * parsed. Not for two calls at once; see `IndexService`.
 */
export class RepositoryIndex {
  private readonly files = new Map<string, Indexed>();
  private readonly leftOut = new Map<string, LeftOutReason>();
  private last: Walk | undefined;

  constructor(readonly root: string, private readonly ports: IndexPorts) {}

  /** Name of the folder. */
  get name(): string {
    return basename(this.root);
  }

  /** Brings everything up to date. Rejects with the signal's reason; what was done until then is kept and not done again. */
  async refresh(signal: AbortSignal, onProgress: (done: number, total: number) => void = () => undefined): Promise<IndexReport> {
    const started = this.ports.clock.monotonic();
    const walked = await walk(this.root, { limit: mostFiles, signal });
    const known = this.ports.store.files();
    const present = new Set(walked.files.map(({ path }) => path));
    const gone = [...known.keys()].filter((path) => !present.has(path));
    for (const path of this.files.keys()) if (!present.has(path)) this.files.delete(path);
    this.leftOut.clear();
    this.last = walked;

    let parsed = 0;
    for (let from = 0; from < walked.files.length; from += batch) {
      signal.throwIfAborted();
      parsed += await this.take(walked.files.slice(from, from + batch), known);
      onProgress(Math.min(from + batch, walked.files.length), walked.files.length);
      await nextTurn(); // requests of the editor come first
    }
    if (gone.length > 0) {
      this.ports.store.write({ gone });
      this.ports.store.prune();
    }
    return {
      files: this.files.size, parsed, ms: this.ports.clock.monotonic() - started, store: this.ports.store.kind, leftOut: this.reasons(), truncated: walked.truncated,
    };
  }

  /**
   * Brings some files up to date, by their paths relative to the root. False where that does not do, because something is new, gone, or changes the rules:
   * then `refresh` is needed.
   */
  async update(paths: readonly string[], signal: AbortSignal): Promise<boolean> {
    if (this.last === undefined) return false;
    const changed: WalkedFile[] = [];
    for (const path of paths) {
      signal.throwIfAborted();
      if (!this.files.has(path)) {
        if (this.last.concerns(path)) return false;
        continue;
      }
      const status = await lstat(join(this.root, path)).catch(() => undefined);
      if (status?.isFile() !== true) return false;
      changed.push({ path, bytes: status.size, changedMs: Math.max(status.mtimeMs, status.ctimeMs), stamp: [status.size, status.ino, status.mtimeMs, status.ctimeMs].join(' ') });
    }
    await this.take(changed, new Map());
    return true;
  }

  snapshot(focus: Focus): RepositorySnapshot {
    const files = new Map(this.files);
    return {
      name: this.name, files, focus,
      changes: (signal) => this.ports.changeCounts(this.root, signal),
      read: async (path) => {
        const read = await readText(this.root, path);
        return 'text' in read && sha256(read.text) === files.get(path)?.hash ? read.text : undefined;
      },
      isGone: async (path) => {
        const found = await lstat(join(await realpath(this.root), path)).catch((error: unknown) => (error as NodeJS.ErrnoException).code);
        return found === 'ENOENT' || found === 'ENOTDIR';
      },
    };
  }

  /** Takes files into the index; returns how many had to be parsed. */
  private async take(files: readonly WalkedFile[], known: ReadonlyMap<string, KnownFile>): Promise<number> {
    const read = await Promise.all(files.map(async (file) => {
      const before = known.get(file.path);
      return before?.stamp === file.stamp ? { file, hash: before.hash } : { file, ...await readText(this.root, file.path) };
    }));
    const write: { files: KnownFile[]; facts: { hash: string; language: string; facts: FileFacts }[] } = { files: [], facts: [] };
    let parsed = 0;
    for (const one of read) {
      const { file } = one;
      const hash = 'hash' in one ? one.hash : 'text' in one ? sha256(one.text) : `-${one.reason}`;
      if (!('hash' in one)) write.files.push({ path: file.path, stamp: this.stampOf(file), hash });
      if (hash.startsWith('-')) {
        this.files.delete(file.path);
        this.leftOut.set(file.path, hash.slice(1) as LeftOutReason);
        continue;
      }
      const held = this.files.get(file.path);
      if (held?.hash === hash) continue;
      const language = languageOf(file.path);
      let facts = language === undefined ? noFacts : this.ports.store.facts(hash, language.id);
      if (facts === undefined && language !== undefined) {
        const text = 'text' in one ? one.text : await this.textOf(file.path, hash);
        if (text === undefined) continue; // changed just now: the next refresh sees it
        facts = await this.ports.parser.parse(language, text);
        write.facts.push({ hash, language: language.id, facts });
        parsed++;
        await nextTurn();
      }
      this.files.set(file.path, { hash, bytes: file.bytes, facts: facts ?? noFacts });
    }
    if (write.files.length > 0 || write.facts.length > 0) this.ports.store.write(write);
    return parsed;
  }

  private async textOf(path: string, hash: string): Promise<string | undefined> {
    const read = await readText(this.root, path);
    return 'text' in read && sha256(read.text) === hash ? read.text : undefined;
  }

  /** The stamp to be trusted next time; one that never comes again, for a file that is too fresh to be trusted. */
  private stampOf({ stamp, changedMs }: WalkedFile): string {
    return this.ports.clock.now() - changedMs < clockGrainMs ? `${stamp} fresh` : stamp;
  }

  private reasons(): Record<string, number> {
    const reasons: Record<string, number> = { ...this.last?.leftOut };
    for (const reason of this.leftOut.values()) reasons[reason] = (reasons[reason] ?? 0) + 1;
    return reasons;
  }
}
