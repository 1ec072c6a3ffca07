import type { Diagnostic, WorkspacePort } from './ports.js';
import { plural } from './gates.js';
import { systemTimers, type Timers } from './timers.js';
import type { Judge, TurnSoFar } from './turn.js';
import { normalisePath } from '../context/files/paths.js';

/** Language servers report some time after a file changed: as long as they may take, and how often to look, in milliseconds. */
const patienceMs = 2_000;
const lookEveryMs = 250;
const mostShown = 5;

/**
 * The rules judge of a turn: an answer counts only when the files that the turn changed show no error that was not there before it.
 * Made when the turn begins, since that is when it looks at what is wrong already. Where no editor knows of errors it passes everything.
 */
export function newErrorsJudge(workspace: WorkspacePort, timers: Timers = systemTimers): Judge {
  const before = errorsOf(workspace, new AbortController().signal);
  before.catch(() => undefined); // said when it is needed, below
  return async (turn, signal) => {
    const changed = changedFiles(turn, workspace.root);
    if (changed.size === 0) return { pass: true };
    const known = await before;
    if (!known) return { pass: true };
    const old = new Set(known.map(identity));
    let wasClean = false;
    for (let waited = 0; ; waited += lookEveryMs) {
      signal.throwIfAborted();
      const now = (await errorsOf(workspace, signal)) ?? [];
      const fresh = now.filter((error) => changed.has(error.path) && !old.has(identity(error)));
      // What is there at the first look may be of the text before the last edit: it counts only if it stays.
      if (fresh.length > 0 && (wasClean || waited >= patienceMs)) return { pass: false, reason: describe(fresh) };
      wasClean ||= fresh.length === 0;
      if (waited >= patienceMs) return { pass: true, checked: `no new errors in ${changed.size === 1 ? [...changed].join('') : plural(changed.size, 'changed file')}` };
      await new Promise<void>((resolve) => timers.after(lookEveryMs, resolve));
    }
  };
}

async function errorsOf(workspace: WorkspacePort, signal: AbortSignal): Promise<readonly Diagnostic[] | undefined> {
  return (await workspace.diagnostics(undefined, signal))?.filter(({ severity }) => severity === 'error');
}

function changedFiles({ calls }: TurnSoFar, root: string): ReadonlySet<string> {
  const paths = calls.flatMap(({ call, outcome }) =>
    call.name === 'propose_edit' && outcome === 'ok' && typeof call.arguments['path'] === 'string' ? [call.arguments['path']] : []);
  return new Set(paths.map((path) => normalisePath(path, root)));
}

/** Without the line: an edit above an old error moves it. */
const identity = ({ path, message }: Diagnostic): string => `${path}\n${message}`;

function describe(errors: readonly Diagnostic[]): string {
  const shown = errors.slice(0, mostShown).map(({ path, line, message }) => `${path}:${line}: ${message.replace(/\s+/g, ' ').slice(0, 200).replace(/[.]$/, '')}`);
  const more = errors.length > shown.length ? `; and ${errors.length - shown.length} more` : '';
  return `the change brought ${plural(errors.length, 'new error')}: ${shown.join('; ')}${more}`.replace(/(?<![.?!])$/, '.');
}
