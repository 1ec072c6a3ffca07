import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeError } from '../base/errors.js';
import { err, ok, type Result } from '../base/result.js';
import type { AgentEvent } from '../protocol/agentEvents.js';
import type { TraceTurn } from '../protocol/trace.js';
import { createFile, temporaryOwner } from './files.js';
import { foldTurn } from './fold.js';
import { abandonedJournals, Journal } from './journal.js';
import { toOtlp } from './otlp.js';
import { fromOtlp } from './otlpRead.js';

export interface TraceStoreOptions {
  /** Private folder of one workspace. */
  readonly folder: string;
  readonly keepTurns: number;
  readonly pid: number;
  isAlive(pid: number): boolean;
}

export interface StoredTurn { readonly turnId: string; readonly question: string; readonly at: number }

interface Running { turn: TraceTurn; journal: Journal | undefined; reported: boolean }

/**
 * Traces of finished turns, one OTLP/JSON document per file, and a journal for each running one. Several windows may use
 * one folder: a turn's file is written once, under a name that only this turn has, and pruning only removes files that enough
 * newer ones stand beside, so no window can lose what another one wrote. Crash-safe: a file appears whole, on disk, or not at all.
 * Failures are values, one per turn; nothing is retried in a loop. Operations run one after the other.
 */
export class TraceStore {
  private readonly running = new Map<string, Running>();
  /** What is known of files read before, by name; undefined: not a turn. */
  private readonly known = new Map<string, StoredTurn | undefined>();
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: TraceStoreOptions) {}

  /** Takes one event of a turn; `turnFinished` stores the turn. */
  record(turnId: string, event: AgentEvent): Promise<Result<null>> {
    return this.inOrder(async () => {
      const known = this.running.get(turnId);
      if (!known && event.type !== 'turnStarted') return ok(null);
      const running: Running = known ?? { turn: foldTurn(undefined, event), journal: undefined, reported: false };
      if (known) running.turn = foldTurn(running.turn, event);
      this.running.set(turnId, running);
      try {
        if (event.type === 'turnStarted') {
          await mkdir(this.options.folder, { recursive: true, mode: 0o700 });
          running.journal = await Journal.create(this.options.folder, turnId, this.options.pid);
        }
        if (event.type === 'turnFinished') {
          this.running.delete(turnId);
          await this.store(running.turn);
          await running.journal?.remove();
        } else await running.journal?.add(event);
        return ok(null);
      } catch (thrown) {
        const { journal, reported } = running;
        running.reported = true;
        running.journal = undefined; // without it the turn goes on and is stored at its end, if that is possible then
        if (event.type === 'turnFinished') this.running.delete(turnId);
        await journal?.close().catch(() => undefined); // the failure that matters is the one reported
        return reported ? ok(null) : err(writeFailed(thrown));
      }
    });
  }

  /** Stores the turns of processes that died. Gives how many there were. Two windows may do this at once: both write the same. */
  recover(): Promise<Result<number>> {
    return this.inOrder(async () => {
      try {
        await mkdir(this.options.folder, { recursive: true, mode: 0o700 });
        const abandoned = await abandonedJournals(this.options.folder, (pid) => this.options.isAlive(pid));
        for (const { path, turn } of abandoned) {
          if (turn && !(await this.names()).includes(fileName(turn))) await this.store(turn);
          await rm(path, { force: true });
        }
        await this.removeLeftovers();
        return ok(abandoned.length);
      } catch (thrown) {
        return err(writeFailed(thrown));
      }
    });
  }

  /** Stored turns, oldest first. */
  list(): Promise<Result<readonly StoredTurn[]>> {
    return this.inOrder(() => this.reading(async () => {
      const turns: StoredTurn[] = [];
      for (const name of await this.names()) {
        if (!this.known.has(name)) await this.load(name);
        const turn = this.known.get(name);
        if (turn) turns.push(turn);
      }
      return turns;
    }));
  }

  /** A stored turn, or a running one as far as it is known. */
  read(turnId: string): Promise<Result<TraceTurn | undefined>> {
    return this.inOrder(() => this.reading(async () => {
      const name = (await this.names()).findLast((candidate) => candidate.endsWith(`-${hex(turnId)}.json`));
      return (name === undefined ? undefined : await this.load(name)) ?? this.running.get(turnId)?.turn;
    }));
  }

  /** Every stored turn, oldest first: for the export. */
  all(): Promise<Result<readonly TraceTurn[]>> {
    return this.inOrder(() => this.reading(async () => {
      const turns: TraceTurn[] = [];
      for (const name of await this.names()) {
        const turn = await this.load(name);
        if (turn) turns.push(turn);
      }
      return turns;
    }));
  }

  /** Lets go of the files of running turns; their journals stay for `recover`. */
  close(): Promise<void> {
    return this.inOrder(async () => {
      for (const { journal } of this.running.values()) await journal?.close();
      this.running.clear();
    });
  }

  private async store(turn: TraceTurn): Promise<void> {
    await createFile(join(this.options.folder, fileName(turn)), JSON.stringify(toOtlp([turn])), this.options.pid);
    for (const name of (await this.names()).slice(0, -this.options.keepTurns)) await rm(join(this.options.folder, name), { force: true });
  }

  /** Names of stored turns, oldest first. */
  private async names(): Promise<string[]> {
    try {
      return (await readdir(this.options.folder)).filter((name) => /^turn-\d{15}-[0-9a-f]+\.json$/.test(name)).sort();
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw thrown;
    }
  }

  private async load(name: string): Promise<TraceTurn | undefined> {
    try {
      const turn = parseTurn(await readFile(join(this.options.folder, name), 'utf8'));
      this.known.set(name, turn && { turnId: turn.turnId, question: turn.question, at: turn.startedAt });
      return turn;
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined; // pruned by another window
      throw thrown;
    }
  }

  /** What processes left that were killed while they wrote. */
  private async removeLeftovers(): Promise<void> {
    for (const name of await readdir(this.options.folder)) {
      const owner = temporaryOwner(name);
      if (owner !== undefined && !this.options.isAlive(owner)) await rm(join(this.options.folder, name), { force: true });
    }
  }

  private async reading<T>(read: () => Promise<T>): Promise<Result<T>> {
    try {
      return ok(await read());
    } catch (thrown) {
      return err(makeError('trace.writeFailed', 'The stored traces could not be read.', 'Check the permissions of the Loupe storage folder.', thrown));
    }
  }

  private inOrder<T>(operation: () => Promise<T>): Promise<T> {
    const result = this.last.then(operation);
    this.last = result.catch(() => undefined); // its caller gets the failure; the next operation starts all the same
    return result;
  }
}

/** Sorts by start; the same turn always has the same name. */
const fileName = (turn: TraceTurn): string => `turn-${String(Math.max(0, Math.floor(turn.startedAt))).padStart(15, '0')}-${hex(turn.turnId)}.json`;

const hex = (turnId: string): string => Buffer.from(turnId).toString('hex').slice(0, 64);

function parseTurn(content: string): TraceTurn | undefined {
  try {
    return fromOtlp(JSON.parse(content))?.[0];
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined; // damaged by something else: the others stay readable
    throw thrown;
  }
}

function writeFailed(thrown: unknown): ReturnType<typeof makeError> {
  const full = (thrown as NodeJS.ErrnoException).code === 'ENOSPC';
  return makeError('trace.writeFailed', full ? 'The disk is full: this turn is missing in the trace.' : 'This turn could not be written to the trace.',
    full ? 'Make room on the disk; traces stored before are intact.' : 'Check the permissions of the Loupe storage folder.', thrown);
}
