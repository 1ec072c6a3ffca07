import { type ChildProcess, spawn } from 'node:child_process';

const passedOn = /^(PATH|HOME|USER|LOGNAME|LANG|LC_[A-Z]+|TMPDIR|TEMP|TMP|SHELL|TZ|XDG_(CACHE|DATA|CONFIG|RUNTIME)_(HOME|DIR)|JAVA_HOME|GOPATH|GOROOT|CARGO_HOME|RUSTUP_HOME|SystemRoot|SystemDrive|ComSpec|PATHEXT|USERPROFILE|APPDATA|LOCALAPPDATA|ProgramData|ProgramFiles(\(x86\))?|NUMBER_OF_PROCESSORS)$/i;

/** What a program that is not ours gets of an environment: only names on a list, so that no key and no redirection enters with the rest. */
export function allowedEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && passedOn.test(entry[0])));
}

/** Signals a process that leads a group of its own (`detached`), and everything that it started. */
export function killGroup(child: ChildProcess, windows: boolean, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  if (windows) {
    if (child.exitCode === null) spawn('taskkill', ['/pid', String(child.pid), '/T', '/F'], { stdio: 'ignore', windowsHide: true });
    return;
  }
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // ESRCH: all gone already
  }
}
