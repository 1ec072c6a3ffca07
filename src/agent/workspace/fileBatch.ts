import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { failure, toError } from '../../base/errors.js';
import { type Entry, markOf, readEntry, removeTemporaries, replaceEntry } from './entries.js';

/** One file of a batch. Undefined: it is not there, or is not to be. */
export interface FileChange { readonly path: string; readonly from: Entry | undefined; readonly to: Entry | undefined }

/** How a batch ended whose process died in it. `damaged`: its journal cannot be read; it is set aside and nothing was touched. `left`: files that somebody changed meanwhile; they were not touched. */
export interface Recovered { readonly outcome: 'finished' | 'takenBack' | 'damaged'; readonly files: number; readonly left: readonly string[] }

const side = z.object({ mark: z.string(), kind: z.enum(['file', 'link']).optional(), executable: z.boolean().optional() });
const journalSchema = z.object({ version: z.literal(1), direction: z.enum(['forward', 'back']), files: z.array(z.object({ path: z.string(), from: side, to: side })) });
type Journal = z.infer<typeof journalSchema>;
type Side = 'from' | 'to';

/**
 * Changes several files: all of them or, after a crash at any moment and the `recover` at the next start, all or none. Before anything is
 * changed, both sides of every file are on disk in a journal outside of the workspace. The journal folder belongs to one window.
 */
export class FileBatches {
  private last: Promise<unknown> = Promise.resolve();
  private count = 0;

  constructor(private readonly root: string, private readonly folder: string) {}

  /** Throws `edit.changedOnDisk` when a file is no longer as `from` says; nothing is changed then. */
  apply(changes: readonly FileChange[]): Promise<void> {
    return this.oneByOne(async () => {
      if (changes.length === 0) return;
      const place = await this.begin(changes);
      const journal = journalOf(changes);
      try {
        await this.move(place, journal, 'from', 'to');
      } catch (thrown) {
        await this.turnBack(place, journal);
        await end(place);
        throw asFailure(thrown);
      }
      await end(place);
    });
  }

  /** Finishes or takes back what an earlier process left, oldest first. Call before the first `apply`. */
  recover(): Promise<readonly Recovered[]> {
    return this.oneByOne(async () => {
      const recovered: Recovered[] = [];
      for (const name of (await readdir(this.folder).catch(ignoreMissing) ?? []).sort()) {
        const place = join(this.folder, name);
        // Without its final name nothing was begun, and with the other one everything was done.
        if (name.endsWith('.new') || name.endsWith('.done')) await rm(place, { recursive: true, force: true });
        else if (name.endsWith('.batch')) recovered.push(await this.settle(place));
      }
      return recovered;
    });
  }

  private async settle(place: string): Promise<Recovered> {
    const journal = await readJournal(place);
    if (!journal) {
      await rename(place, place.replace(/\.batch$/, '.damaged'));
      return { outcome: 'damaged', files: 0, left: [] };
    }
    const now = await Promise.all(journal.files.map(async ({ path }) => markNow(this.root, path)));
    const left = journal.files.filter((file, index) => now[index] !== file.from.mark && now[index] !== file.to.mark).map(({ path }) => path);
    const forward = journal.direction === 'forward' && left.length === 0;
    if (forward) await this.move(place, journal, 'from', 'to');
    else await this.turnBack(place, journal);
    for (const { path } of journal.files) await removeTemporaries(this.root, path);
    await end(place);
    return { outcome: forward ? 'finished' : 'takenBack', files: journal.files.length - left.length, left };
  }

  /** Brings every file from one side to the other; what is there already stays. */
  private async move(place: string, journal: Journal, source: Side, target: Side): Promise<void> {
    for (const [index, file] of inOrder(journal, target)) {
      if (await markNow(this.root, file.path) === file[target].mark) continue;
      await replaceEntry(this.root, file.path, file[source].mark, await this.kept(place, index, target, file[target]));
    }
  }

  /** Takes the changes back. That this is the way is on disk first: a crash in the middle does not turn it round again. */
  private async turnBack(place: string, journal: Journal): Promise<void> {
    const back: Journal = { ...journal, direction: 'back' };
    await writeSynced(join(place, 'journal.new'), JSON.stringify(back));
    await rename(join(place, 'journal.new'), join(place, 'journal.json'));
    await syncFolder(place);
    for (const [index, file] of inOrder(journal, 'from')) {
      const now = await markNow(this.root, file.path);
      if (now === file.to.mark && now !== file.from.mark) await replaceEntry(this.root, file.path, now, await this.kept(place, index, 'from', file.from));
    }
  }

  private async begin(changes: readonly FileChange[]): Promise<string> {
    for (const { path, from } of changes) {
      if (await markNow(this.root, path) !== markOf(from)) throw failure('edit.changedOnDisk', `${path} changed meanwhile.`, 'Look at it, then try again.');
    }
    const name = `${Date.now().toString(36)}-${process.pid}-${this.count++}`;
    const making = join(this.folder, `${name}.new`);
    await mkdir(making, { recursive: true, mode: 0o700 });
    for (const [index, change] of changes.entries()) {
      for (const which of ['from', 'to'] as const) {
        const entry = change[which];
        if (entry) await writeSynced(join(making, `${index}.${which}`), entry.content);
      }
    }
    await writeSynced(join(making, 'journal.json'), JSON.stringify(journalOf(changes)));
    await syncFolder(making);
    const place = join(this.folder, `${name}.batch`);
    await rename(making, place);
    await syncFolder(this.folder);
    return place;
  }

  private async kept(place: string, index: number, which: Side, { mark, kind, executable = false }: Journal['files'][number][Side]): Promise<Entry | undefined> {
    if (kind === undefined) return undefined;
    const entry = { kind, executable, content: await readFile(join(place, `${index}.${which}`)) };
    if (markOf(entry) !== mark) throw failure('edit.notApplied', 'The journal of a change is damaged.', 'Look at the files of the last change.');
    return entry;
  }

  private oneByOne<T>(work: () => Promise<T>): Promise<T> {
    const next = this.last.then(work, work);
    this.last = next.catch(() => undefined); // told to whoever asked for it
    return next;
  }
}

/** What goes makes room first: a folder may have to give way to a file of its name. */
function inOrder({ files }: Journal, target: Side): readonly (readonly [number, Journal['files'][number]])[] {
  const all = [...files.entries()];
  return [...all.filter(([, file]) => file[target].kind === undefined), ...all.filter(([, file]) => file[target].kind !== undefined)];
}

function journalOf(changes: readonly FileChange[]): Journal {
  const sideOf = (entry: Entry | undefined): z.infer<typeof side> => ({ mark: markOf(entry), ...(entry ? { kind: entry.kind, executable: entry.executable } : {}) });
  return { version: 1, direction: 'forward', files: changes.map(({ path, from, to }) => ({ path, from: sideOf(from), to: sideOf(to) })) };
}

/** `other` for what can be neither side: somebody put a folder there. */
async function markNow(root: string, path: string): Promise<string> {
  try {
    return markOf(await readEntry(root, path));
  } catch (thrown) {
    if (toError(thrown).code === 'edit.notApplied') return 'other';
    throw thrown;
  }
}

async function readJournal(place: string): Promise<Journal | undefined> {
  const text = await readFile(join(place, 'journal.json'), 'utf8');
  try {
    return journalSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined; // not even JSON
  }
}

async function end(place: string): Promise<void> {
  const done = place.replace(/\.batch$/, '.done');
  await rename(place, done).catch(ignoreMissing);
  await rm(done, { recursive: true, force: true });
}

async function writeSynced(path: string, content: string | Buffer): Promise<void> {
  const handle = await open(path, 'w', 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function asFailure(thrown: unknown): unknown {
  const { code } = thrown as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') return failure('edit.notApplied', 'The disk is full: nothing was changed.', 'Make room and try again.', thrown);
  return thrown;
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}
