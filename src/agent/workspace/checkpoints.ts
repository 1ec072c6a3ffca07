import * as z from 'zod';
import type { Clock } from '../../base/clock.js';
import { failure, toError } from '../../base/errors.js';
import type { FileBatches, FileChange } from './fileBatch.js';
import type { Difference, FolderRecord, ObjectRef } from './folderRecord.js';
import type { ShadowGit } from './shadowGit.js';

/** The folder before and after a turn that changed it. `after` is missing while the turn runs, and when its process died in it. */
export interface Checkpoint { readonly turnId: string; readonly goal: string; readonly at: number; readonly before: string; readonly after?: string }

/** One file that going back would change. `changedSince`: not only by turns; the user's own work would be lost. */
export interface PlannedChange {
  readonly path: string;
  readonly effect: 'restored' | 'removed';
  readonly changedSince: boolean;
  readonly now: ObjectRef | undefined;
  readonly then: ObjectRef | undefined;
}
export interface RestorePlan { readonly checkpoint: Checkpoint; readonly changes: readonly PlannedChange[] }

export interface CheckpointDeps {
  readonly git: ShadowGit;
  readonly record: FolderRecord;
  readonly batches: FileBatches;
  readonly clock: Clock;
  /** Turns that can be taken back; older ones are forgotten. */
  readonly keep: number;
}

/** When the records of all turns take more bytes than this, the older half is forgotten. */
const mostBytes = 512 * 1024 * 1024;
const longestGoal = 200;

const subject = z.object({ turnId: z.string(), goal: z.string(), at: z.number() });

/** What turns did to a workspace folder, and the way back. What the user changed since is never overwritten unless they say so. */
export class Checkpoints {
  private last: Promise<unknown> = Promise.resolve();
  private readonly begun = new Map<string, Promise<string | undefined>>();

  constructor(private readonly deps: CheckpointDeps) {}

  /** Records the folder before a turn's first change; later calls of the same turn do nothing. `problem`: why it could not be recorded. */
  async takeOnce({ turnId, goal }: { readonly turnId: string; readonly goal: string }): Promise<{ readonly first: boolean; readonly problem?: string }> {
    const known = this.begun.get(turnId);
    if (known) {
      await known;
      return { first: false };
    }
    const taking = this.oneByOne(() => this.save(turnId, goal, 'before')).then(() => undefined, (thrown: unknown) => toError(thrown).message);
    this.begun.set(turnId, taking);
    const problem = await taking;
    return { first: true, ...(problem === undefined ? {} : { problem }) };
  }

  /** Records what a turn left, when it changed anything. */
  async end(turnId: string): Promise<void> {
    const begun = this.begun.get(turnId);
    this.begun.delete(turnId);
    if (begun === undefined || await begun !== undefined) return;
    await this.oneByOne(async () => {
      await this.save(turnId, '', 'after');
      await this.prune();
    });
  }

  /** Newest first. */
  list(): Promise<readonly Checkpoint[]> {
    return this.oneByOne(() => this.read());
  }

  /** What it takes to undo this one turn: the files that it changed. Throws `edit.notApplied` when nothing is known of it. */
  planUndo(turnId: string): Promise<RestorePlan> {
    return this.oneByOne(async () => {
      const { record } = this.deps;
      const checkpoint = await this.find(turnId);
      const now = await record.take();
      const made = await record.differences(checkpoint.before, checkpoint.after ?? now);
      const sinceTurn = new Map((await record.differences(checkpoint.after ?? now, now)).map((change) => [change.path, change]));
      const changes = made.flatMap(({ path, before, after }): PlannedChange[] => {
        const since = sinceTurn.get(path);
        const current = since ? since.after : after;
        if (same(current, before)) return [];
        // A turn whose process died says nothing of who changed what.
        return [planned({ path, before, after: current }, since !== undefined || checkpoint.after === undefined)];
      });
      return { checkpoint, changes };
    });
  }

  /** What it takes to bring the whole folder back to the beginning of this turn. */
  planRestore(turnId: string): Promise<RestorePlan> {
    return this.oneByOne(async () => {
      const { record } = this.deps;
      const checkpoint = await this.find(turnId);
      const later = (await this.read()).filter(({ at }) => at >= checkpoint.at).reverse();
      const now = await record.take();
      const byUser = new Set<string>();
      for (const [index, { before, after }] of later.entries()) {
        for (const { path } of await record.differences(after ?? before, later[index + 1]?.before ?? now)) byUser.add(path);
      }
      const changes = await record.differences(checkpoint.before, now);
      return { checkpoint, changes: changes.map((change) => planned(change, byUser.has(change.path))) };
    });
  }

  /**
   * Carries a plan out, all of it or nothing: with `overwrite` also where the user changed something since. Where they go on changing files
   * meanwhile, it throws `edit.changedOnDisk` and nothing is done. Can be taken back itself. Gives the number of files.
   */
  async apply({ checkpoint, changes }: RestorePlan, overwrite: boolean, turnId: string): Promise<number> {
    const wanted = changes.filter(({ changedSince }) => overwrite || !changedSince);
    if (wanted.length === 0) return 0;
    const { problem } = await this.takeOnce({ turnId, goal: `Before going back: ${checkpoint.goal}` });
    if (problem !== undefined) throw failure('edit.notApplied', problem, 'Nothing was changed.');
    try {
      const files: FileChange[] = [];
      for (const { path, now, then } of wanted) files.push({ path, from: await this.deps.record.entry(now), to: await this.deps.record.entry(then) });
      await this.deps.batches.apply(files);
    } finally {
      await this.end(turnId);
    }
    return wanted.length;
  }

  private async save(turnId: string, goal: string, which: 'before' | 'after'): Promise<void> {
    const { git, record, clock } = this.deps;
    const tree = await record.take();
    const message = JSON.stringify({ turnId, goal: goal.replace(/\s+/g, ' ').slice(0, longestGoal), at: clock.now() });
    const commit = (await git.run(['commit-tree', tree], { input: message })).toString('utf8').trim();
    await git.run(['update-ref', refOf(turnId, which), commit]);
  }

  private async read(): Promise<readonly Checkpoint[]> {
    const lines = (await this.deps.git.run(['for-each-ref', '--format=%(refname) %(tree) %(contents:subject)', 'refs/loupe/'])).toString('utf8').split('\n');
    const found = new Map<string, { before?: z.infer<typeof subject> & { tree: string }; after?: string }>();
    for (const line of lines) {
      const [, key = '', which, tree = '', text = ''] = /^refs\/loupe\/([0-9a-f]+)\/(before|after) ([0-9a-f]+) (.*)$/.exec(line) ?? [];
      if (key === '') continue;
      const entry = found.get(key) ?? {};
      if (which === 'after') entry.after = tree;
      else entry.before = { ...subject.parse(JSON.parse(text)), tree };
      found.set(key, entry);
    }
    return [...found.values()].flatMap(({ before, after }): Checkpoint[] =>
      before ? [{ turnId: before.turnId, goal: before.goal, at: before.at, before: before.tree, ...(after === undefined ? {} : { after }) }] : [])
      .sort((a, b) => b.at - a.at);
  }

  private async find(turnId: string): Promise<Checkpoint> {
    const found = (await this.read()).find((checkpoint) => checkpoint.turnId === turnId);
    if (!found) throw failure('edit.notApplied', 'Nothing is recorded of this turn.', 'Only turns that changed something, and not the oldest ones, can be undone.');
    return found;
  }

  private async prune(): Promise<void> {
    const { git } = this.deps;
    const all = await this.read();
    const bytes = 1024 * Number(/^size: (\d+)$/m.exec((await git.run(['count-objects', '-v'])).toString('utf8'))?.[1] ?? 0);
    const keep = bytes > mostBytes ? Math.floor(all.length / 2) : this.deps.keep;
    const old = all.slice(Math.max(1, keep));
    if (old.length === 0) return;
    for (const { turnId } of old) for (const which of ['before', 'after'] as const) await git.run(['update-ref', '-d', refOf(turnId, which)]);
    await git.run(['prune', '--expire=now']);
  }

  private oneByOne<T>(work: () => Promise<T>): Promise<T> {
    const next = this.last.then(work, work);
    this.last = next.catch(() => undefined); // told to whoever asked for it
    return next;
  }
}

const refOf = (turnId: string, which: 'before' | 'after'): string => `refs/loupe/${Buffer.from(turnId).toString('hex').slice(0, 120)}/${which}`;

const same = (a: ObjectRef | undefined, b: ObjectRef | undefined): boolean => a?.id === b?.id && a?.mode === b?.mode;

function planned({ path, before, after }: Difference, changedSince: boolean): PlannedChange {
  return { path, effect: before ? 'restored' : 'removed', changedSince, now: after, then: before };
}
