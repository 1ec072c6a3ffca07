import { mkdir, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { makeError } from '../base/errors.js';
import { err, ok, type Result } from '../base/result.js';
import type { AgentEvent } from '../protocol/agentEvents.js';
import type { TraceTurn } from '../protocol/trace.js';
import { appendLine, openPrivate, replaceFile } from './files.js';
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

interface Entry extends StoredTurn { readonly offset: number; readonly length: number }

interface Running { turn: TraceTurn; journal: Journal | undefined; reported: boolean }

/**
 * Traces of finished turns, one OTLP/JSON document per line, and a journal for each running one. Crash-safe: a line is on
 * disk before a turn counts as stored, a torn line is skipped, and pruning replaces the file in one step. Failures are
 * values, one per turn; nothing is retried in a loop. Operations run one after the other.
 */
export class TraceStore {
  private readonly running = new Map<string, Running>();
  private entries: Entry[] | undefined;
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
          await this.append(running.turn);
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

  /** Stores the turns of processes that died. Gives how many there were. */
  recover(): Promise<Result<number>> {
    return this.inOrder(async () => {
      try {
        await mkdir(this.options.folder, { recursive: true, mode: 0o700 });
        const abandoned = await abandonedJournals(this.options.folder, (pid) => this.options.isAlive(pid));
        for (const { path, turn } of abandoned) {
          const stored = turn && (await this.index()).some(({ turnId }) => turnId === turn.turnId);
          if (turn && !stored) await this.append(turn);
          await rm(path, { force: true });
        }
        return ok(abandoned.length);
      } catch (thrown) {
        return err(writeFailed(thrown));
      }
    });
  }

  /** Stored turns, oldest first. */
  list(): Promise<Result<readonly StoredTurn[]>> {
    return this.inOrder(async () => this.reading(async () => (await this.index()).map(({ turnId, question, at }) => ({ turnId, question, at }))));
  }

  /** A stored turn, or a running one as far as it is known. */
  read(turnId: string): Promise<Result<TraceTurn | undefined>> {
    return this.inOrder(() => this.reading(async () => {
      const entry = (await this.index()).findLast((candidate) => candidate.turnId === turnId);
      return entry ? this.withFile((handle) => readEntry(handle, entry)) : this.running.get(turnId)?.turn;
    }));
  }

  /** Every stored turn, oldest first: for the export. */
  all(): Promise<Result<readonly TraceTurn[]>> {
    return this.inOrder(() => this.reading(async () => {
      const entries = await this.index();
      return this.withFile(async (handle) => {
        const turns: TraceTurn[] = [];
        for (const entry of entries) {
          const turn = await readEntry(handle, entry);
          if (turn) turns.push(turn);
        }
        return turns;
      });
    }));
  }

  /** Lets go of the files of running turns; their journals stay for `recover`. */
  close(): Promise<void> {
    return this.inOrder(async () => {
      for (const { journal } of this.running.values()) await journal?.close();
      this.running.clear();
    });
  }

  private get file(): string {
    return join(this.options.folder, 'turns.jsonl');
  }

  private async append(turn: TraceTurn): Promise<void> {
    const entries = await this.index();
    const at = await this.withFile((handle) => appendLine(handle, JSON.stringify(toOtlp([turn]))));
    entries.push({ ...at, turnId: turn.turnId, question: turn.question, at: turn.startedAt });
    if (entries.length > this.options.keepTurns) await this.prune(entries.slice(-this.options.keepTurns));
  }

  private async prune(kept: readonly Entry[]): Promise<void> {
    const lines = await this.withFile(async (handle) => {
      const all: Buffer[] = [];
      for (const { offset, length } of kept) all.push((await handle.read(Buffer.alloc(length + 1, '\n'), 0, length, offset)).buffer);
      return all;
    });
    await replaceFile(this.file, Buffer.concat(lines));
    this.entries = undefined;
  }

  /** Where each readable turn stands in the file. Read once; line by line, so that the host is never held up for long. */
  private async index(): Promise<Entry[]> {
    if (this.entries) return this.entries;
    await mkdir(this.options.folder, { recursive: true, mode: 0o700 });
    const content = await this.withFile((handle) => handle.readFile());
    const entries: Entry[] = [];
    for (let offset = 0; offset < content.length;) {
      const end = content.indexOf(0x0a, offset);
      const length = (end === -1 ? content.length : end) - offset;
      const turn = parseTurn(content.subarray(offset, offset + length));
      if (turn) entries.push({ offset, length, turnId: turn.turnId, question: turn.question, at: turn.startedAt });
      offset += length + 1;
      await setImmediate();
    }
    this.entries = entries;
    return entries;
  }

  private async withFile<T>(use: (handle: FileHandle) => Promise<T>): Promise<T> {
    const handle = await openPrivate(this.file);
    try {
      return await use(handle);
    } finally {
      await handle.close();
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

async function readEntry(handle: FileHandle, { offset, length }: Entry): Promise<TraceTurn | undefined> {
  const { buffer } = await handle.read(Buffer.alloc(length), 0, length, offset);
  return parseTurn(buffer);
}

function parseTurn(line: Buffer): TraceTurn | undefined {
  if (line.length === 0) return undefined;
  try {
    return fromOtlp(JSON.parse(line.toString('utf8')))?.[0];
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined; // torn by a crash
    throw thrown;
  }
}

function writeFailed(thrown: unknown): ReturnType<typeof makeError> {
  const full = (thrown as NodeJS.ErrnoException).code === 'ENOSPC';
  return makeError('trace.writeFailed', full ? 'The disk is full: this turn is missing in the trace.' : 'This turn could not be written to the trace.',
    full ? 'Make room on the disk; traces stored before are intact.' : 'Check the permissions of the Loupe storage folder.', thrown);
}
