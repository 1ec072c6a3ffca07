import * as vscode from 'vscode';
import { join } from 'node:path';
import { failure } from '../../base/errors.js';
import { revealHidden } from '../../base/hiddenText.js';
import type { Checkpoint, Checkpoints, PlannedChange, RestorePlan } from '../../agent/workspace/checkpoints.js';
import { unsavedAt } from '../workspace/editorWorkspace.js';

export interface UndoDeps {
  /** URI of the folder of the shown chat. */
  readonly folder: () => string | undefined;
  readonly isRunning: () => boolean;
  readonly checkpoints: (folder: string | undefined) => Checkpoints;
  readonly root: (folder: string | undefined) => string;
  readonly newId: () => string;
  readonly notice: (text: string) => void;
}

type Way = (checkpoints: Checkpoints, turnId: string) => Promise<RestorePlan>;

/** Takes back what one turn changed: the given one, else the newest. */
export async function undoTurn(deps: UndoDeps, turnId: string | undefined): Promise<void> {
  const checkpoints = idle(deps);
  const id = turnId ?? (await checkpoints.list())[0]?.turnId;
  if (id === undefined) throw nothing();
  await goBack(deps, id, (all, turn) => all.planUndo(turn), false);
}

/** Brings the folder back to the beginning of a turn: the given one, else one that the user chooses. */
export async function restoreCheckpoint(deps: UndoDeps, turnId: string | undefined): Promise<void> {
  const id = turnId ?? await choose(await idle(deps).list());
  if (id !== undefined) await goBack(deps, id, (all, turn) => all.planRestore(turn), true);
}

async function choose(checkpoints: readonly Checkpoint[]): Promise<string | undefined> {
  if (checkpoints.length === 0) throw nothing();
  const items = checkpoints.map(({ turnId, goal, at }) => ({ label: revealHidden(goal).text, description: new Date(at).toLocaleString(), turnId }));
  const picked = await vscode.window.showQuickPick(items, { title: 'Restore Checkpoint', placeHolder: 'Bring the folder back to what it was before this turn', matchOnDescription: true });
  return picked?.turnId;
}

async function goBack(deps: UndoDeps, turnId: string, way: Way, always: boolean): Promise<void> {
  const folder = deps.folder();
  const checkpoints = idle(deps);
  const plan = withUnsaved(await way(checkpoints, turnId), deps.root(folder));
  if (plan.changes.length === 0) {
    deps.notice('There is nothing to take back: the files are as they were before this turn.');
    return;
  }
  const answer = await askFor(plan, always);
  if (answer === undefined) return;
  idle(deps); // a question may have been asked meanwhile
  const done = await checkpoints.apply(plan, answer === 'all', deps.newId());
  const kept = answer === 'all' ? 0 : plan.changes.filter(({ changedSince }) => changedSince).length;
  deps.notice(`${count(done)} brought back to what ${done === 1 ? 'it was' : 'they were'} before this turn${kept === 0 ? '' : `; ${count(kept)} with your own changes kept`}. "Loupe: Undo Turn" takes this back.`);
}

/** Undefined: leave everything as it is. */
async function askFor({ changes }: RestorePlan, always: boolean): Promise<'mine' | 'all' | undefined> {
  const theirs = changes.filter(({ changedSince }) => changedSince);
  if (theirs.length === 0) {
    if (!always) return 'all';
    const restore = 'Restore';
    const detail = `${names(changes)}\n\nThis can be taken back with "Loupe: Undo Turn".`;
    return (await vscode.window.showWarningMessage(`Bring ${count(changes.length)} back?`, { modal: true, detail }, restore)) === restore ? 'all' : undefined;
  }
  const keep = 'Keep My Changes';
  const overwrite = 'Overwrite Them';
  const others = changes.length - theirs.length;
  const chosen = await vscode.window.showWarningMessage(`You changed ${count(theirs.length)} since.`, {
    modal: true, detail: `${names(theirs)}\n\n${others === 0 ? 'No other file would change.' : `${count(others)} would change besides.`}`,
  }, ...(others === 0 ? [] : [keep]), overwrite);
  return chosen === keep ? 'mine' : chosen === overwrite ? 'all' : undefined;
}

/** Text that is not saved yet is the user's, whatever the disk says. */
function withUnsaved(plan: RestorePlan, root: string): RestorePlan {
  return { ...plan, changes: plan.changes.map((change) => (unsavedAt(join(root, change.path)) ? { ...change, changedSince: true } : change)) };
}

function idle(deps: UndoDeps): Checkpoints {
  if (deps.isRunning()) throw failure('edit.notApplied', 'A turn is running and may change files.', 'Stop it, or wait for its end.');
  return deps.checkpoints(deps.folder());
}

const mostNames = 12;
const names = (changes: readonly PlannedChange[]): string =>
  [...changes.slice(0, mostNames).map(({ path, effect }) => revealHidden(`${path}${effect === 'removed' ? ' (will be removed)' : ''}`).text), ...(changes.length > mostNames ? [`and ${changes.length - mostNames} more`] : [])].join('\n');
const count = (files: number): string => (files === 1 ? '1 file' : `${files} files`);
const nothing = (): Error => failure('edit.notApplied', 'No turn in this folder has changed anything.', 'There is nothing to take back.');
