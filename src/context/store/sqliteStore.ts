import { chmodSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { messageOf } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import type { FileFacts } from '../symbols/facts.js';
import { factsVersion } from '../symbols/parser.js';
import { sha256 } from './hash.js';
import { type IndexBatch, type IndexStore, type KnownFile, MemoryStore } from './indexStore.js';

/** Raised with the tables below: a file of another version is made anew. */
const layout = 1;
const keptTokenCounts = 50_000;
/** Values that are kept: one for each budget and tokenizer that was asked for lately. */
const keptValues = 4;

const tables = `
  CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, stamp TEXT NOT NULL, hash TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS facts (hash TEXT NOT NULL, language TEXT NOT NULL, payload TEXT NOT NULL, sum TEXT NOT NULL, PRIMARY KEY (hash, language)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS tokens (tokenizer TEXT NOT NULL, hash TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (tokenizer, hash));
  CREATE TABLE IF NOT EXISTS memory (key TEXT PRIMARY KEY, payload TEXT NOT NULL, sum TEXT NOT NULL);
`;

/** SQLite of the running Node; undefined where it has none (before 22.5, or without its flag before 22.13). */
export function nodeSqlite(): typeof import('node:sqlite') | undefined {
  try {
    return process.getBuiltinModule?.('node:sqlite');
  } catch {
    return undefined;
  }
}

/**
 * Opens the store of one repository in a file that belongs to the user. A file that is damaged or of another version is set aside, or removed, and a new one
 * made. Without SQLite, or where the file cannot be had (disk full, no rights), the store is in memory, and the log says so.
 */
export function openStore(file: string, logger: Logger): IndexStore {
  const sqlite = nodeSqlite();
  if (sqlite === undefined) {
    logger.log('info', 'This Node has no SQLite: the repository index is kept in memory and made again at every start', { node: process.version });
    return new MemoryStore();
  }
  for (const attempt of [1, 2]) {
    try {
      return new SqliteStore(openDatabase(sqlite, file), file, logger);
    } catch (error) {
      logger.log('warn', 'The repository index cannot be read and is made anew', { file, attempt, cause: messageOf(error) });
      setAside(file);
    }
  }
  logger.log('warn', 'The repository index is kept in memory', { file });
  return new MemoryStore();
}

function openDatabase(sqlite: typeof import('node:sqlite'), file: string): DatabaseSync {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const isNew = !existsSync(file);
  const database = new sqlite.DatabaseSync(file);
  try {
    if (isNew) chmodSync(file, 0o600); // it holds parts of the repository
    // A cache may lose its last transactions in a power cut, but not its form: WAL with `NORMAL` promises that.
    database.exec('PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON');
    const check = database.prepare('PRAGMA quick_check(1)').get();
    if (check?.['quick_check'] !== 'ok') throw new Error(`quick_check: ${String(check?.['quick_check'])}`);
    const version = layout * 1_000 + factsVersion;
    const found = database.prepare('PRAGMA user_version').get()?.['user_version'];
    if (found !== version) {
      for (const table of ['files', 'facts', 'tokens', 'memory']) database.exec(`DROP TABLE IF EXISTS ${table}`);
      database.exec(`PRAGMA user_version = ${version}`);
    }
    database.exec(tables);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Keeps the last damaged file, for who wants to know what happened to it. */
function setAside(file: string): void {
  try {
    for (const ending of ['-wal', '-shm', '-journal']) rmSync(file + ending, { force: true });
    if (existsSync(file)) renameSync(file, `${file}.damaged`);
  } catch {
    // Nothing there can be moved: the next attempt says why.
  }
}

class SqliteStore implements IndexStore {
  readonly kind = 'sqlite';
  private readonly statements = new Map<string, StatementSync>();
  private failed = false;

  constructor(private readonly database: DatabaseSync, private readonly file: string, private readonly logger: Logger) {}

  files(): ReadonlyMap<string, KnownFile> {
    return this.guarded(new Map(), () => new Map(this.prepare('SELECT path, stamp, hash FROM files').all().map((row) => {
      const file = row as unknown as KnownFile;
      return [file.path, { path: file.path, stamp: file.stamp, hash: file.hash }];
    })));
  }

  facts(hash: string, language: string): FileFacts | undefined {
    return this.guarded(undefined, () => {
      const row = this.prepare('SELECT payload, sum FROM facts WHERE hash = ? AND language = ?').get(hash, language) as Summed | undefined;
      return row === undefined || row.sum !== sumOf(hash + language, row.payload) ? undefined : JSON.parse(row.payload) as FileFacts;
    });
  }

  write({ files = [], gone = [], facts = [] }: IndexBatch): void {
    this.transaction(() => {
      const remove = this.prepare('DELETE FROM files WHERE path = ?');
      for (const path of gone) remove.run(path);
      const put = this.prepare('INSERT OR REPLACE INTO files (path, stamp, hash) VALUES (?, ?, ?)');
      for (const { path, stamp, hash } of files) put.run(path, stamp, hash);
      const learn = this.prepare('INSERT OR REPLACE INTO facts (hash, language, payload, sum) VALUES (?, ?, ?, ?)');
      for (const one of facts) {
        const payload = JSON.stringify(one.facts);
        learn.run(one.hash, one.language, payload, sumOf(one.hash + one.language, payload));
      }
    });
  }

  prune(): void {
    this.transaction(() => {
      this.database.exec('DELETE FROM facts WHERE hash NOT IN (SELECT hash FROM files)');
      this.database.exec(`DELETE FROM tokens WHERE rowid <= (SELECT max(rowid) FROM tokens) - ${keptTokenCounts}`);
    });
  }

  tokens(tokenizer: string, hashes: readonly string[]): ReadonlyMap<string, number> {
    return this.guarded(new Map(), () => {
      const select = this.prepare('SELECT count FROM tokens WHERE tokenizer = ? AND hash = ?');
      const counts = new Map<string, number>();
      for (const hash of hashes) {
        const count = select.get(tokenizer, hash)?.['count'];
        if (typeof count === 'number') counts.set(hash, count);
      }
      return counts;
    });
  }

  writeTokens(tokenizer: string, counts: ReadonlyMap<string, number>): void {
    this.transaction(() => {
      const put = this.prepare('INSERT OR REPLACE INTO tokens (tokenizer, hash, count) VALUES (?, ?, ?)');
      for (const [hash, count] of counts) put.run(tokenizer, hash, count);
    });
  }

  value(key: string): string | undefined {
    return this.guarded(undefined, () => {
      const row = this.prepare('SELECT payload, sum FROM memory WHERE key = ?').get(key) as Summed | undefined;
      return row === undefined || row.sum !== sumOf(key, row.payload) ? undefined : row.payload;
    });
  }

  putValue(key: string, value: string): void {
    this.transaction(() => {
      this.prepare('INSERT OR REPLACE INTO memory (key, payload, sum) VALUES (?, ?, ?)').run(key, value, sumOf(key, value));
      this.database.exec(`DELETE FROM memory WHERE rowid NOT IN (SELECT rowid FROM memory ORDER BY rowid DESC LIMIT ${keptValues})`);
    });
  }

  close(): void {
    this.statements.clear();
    this.guarded(undefined, () => this.database.close());
    this.failed = true;
  }

  private transaction(work: () => void): void {
    this.guarded(undefined, () => {
      this.database.exec('BEGIN IMMEDIATE');
      try {
        work();
        this.database.exec('COMMIT');
      } catch (error) {
        if (this.database.isTransaction) this.database.exec('ROLLBACK');
        throw error;
      }
    });
  }

  private prepare(sql: string): StatementSync {
    let statement = this.statements.get(sql);
    if (statement === undefined) this.statements.set(sql, statement = this.database.prepare(sql));
    return statement;
  }

  /** After the first error (disk full, a page that went bad) nothing more is asked of the file: one line in the log, and work goes on without it. */
  private guarded<T>(otherwise: T, work: () => T): T {
    if (this.failed) return otherwise;
    try {
      return work();
    } catch (error) {
      this.failed = true;
      this.logger.log('warn', 'The repository index is not kept any further in this run', { file: this.file, cause: messageOf(error) });
      return otherwise;
    }
  }
}

interface Summed { readonly payload: string; readonly sum: string }

/** Over key and payload: SQLite's own check sees a damaged page, not a changed letter in a text. */
const sumOf = (key: string, payload: string): string => sha256(`${key}\n${payload}`).slice(0, 32);
