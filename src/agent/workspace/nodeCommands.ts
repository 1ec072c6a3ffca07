import { spawn, type ChildProcess } from 'node:child_process';
import { failure } from '../../base/errors.js';
import type { CommandPort } from '../ports.js';

export interface CommandOptions {
  readonly root: string;
  /** Environment of this process; only names on a list are passed on. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs?: number;
  readonly platform?: NodeJS.Platform;
}

/** Characters kept of the output's beginning and end: errors stand at either. */
const headLength = 4_000;
const tailLength = 12_000;
const termGraceMs = 1_500;

const passedOn = /^(PATH|HOME|USER|LOGNAME|LANG|LC_[A-Z]+|TMPDIR|TEMP|TMP|SHELL|TZ|XDG_(CACHE|DATA|CONFIG|RUNTIME)_(HOME|DIR)|JAVA_HOME|GOPATH|GOROOT|CARGO_HOME|RUSTUP_HOME|SystemRoot|SystemDrive|ComSpec|PATHEXT|USERPROFILE|APPDATA|LOCALAPPDATA|ProgramData|ProgramFiles(\(x86\))?|NUMBER_OF_PROCESSORS)$/i;

/** Nothing may wait for input or open a pager. */
const fixed = { CI: '1', TERM: 'dumb', NO_COLOR: '1', PAGER: 'cat', GIT_PAGER: 'cat', GIT_TERMINAL_PROMPT: '0', GIT_EDITOR: 'true', EDITOR: 'true' };

/**
 * Runs a command that the user approved, in a shell, in the workspace folder, in a process group of its own that is killed
 * whole: on a stop, at the time-out, and when the command ends and leaves something behind.
 */
export class NodeCommands implements CommandPort {
  constructor(private readonly options: CommandOptions) {}

  async run(command: string, signal: AbortSignal): Promise<{ readonly exitCode: number | null; readonly output: string; readonly truncated: boolean; readonly timedOut: boolean }> {
    signal.throwIfAborted();
    const windows = (this.options.platform ?? process.platform) === 'win32';
    const child = windows
      ? spawn(command, { cwd: this.options.root, env: this.environment(), stdio: ['ignore', 'pipe', 'pipe'], shell: true, windowsHide: true })
      : spawn('/bin/sh', ['-c', command], { cwd: this.options.root, env: this.environment(), stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    return new Promise((resolve, reject) => {
      const output = new CappedOutput();
      let timedOut = false;
      let killer: NodeJS.Timeout | undefined;
      const stop = (): void => {
        killGroup(child, windows, 'SIGTERM');
        killer ??= setTimeout(() => killGroup(child, windows, 'SIGKILL'), termGraceMs);
      };
      const timer = setTimeout(() => {
        timedOut = true;
        stop();
      }, this.options.timeoutMs ?? 120_000);
      signal.addEventListener('abort', stop, { once: true });
      const done = (): void => {
        clearTimeout(timer);
        clearTimeout(killer);
        signal.removeEventListener('abort', stop);
      };
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => output.add(chunk));
      child.stderr.setEncoding('utf8').on('data', (chunk: string) => output.add(chunk));
      child.on('error', (error) => {
        done();
        reject(failure('tool.failed', `The command could not be started (${error.message}).`, 'Check that a shell is installed.'));
      });
      child.on('exit', () => killGroup(child, windows, 'SIGKILL')); // what it left behind holds our pipes open
      child.on('close', (exitCode) => {
        done();
        if (signal.aborted) reject(signal.reason as Error);
        else resolve({ exitCode, ...output.result(), timedOut });
      });
    });
  }

  private environment(): Record<string, string> {
    const kept = Object.entries(this.options.env).filter((entry): entry is [string, string] => entry[1] !== undefined && passedOn.test(entry[0]));
    return { ...Object.fromEntries(kept), ...fixed };
  }
}

function killGroup(child: ChildProcess, windows: boolean, signal: NodeJS.Signals): void {
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

class CappedOutput {
  private head = '';
  private tail = '';
  private dropped = 0;

  add(chunk: string): void {
    const room = headLength - this.head.length;
    this.head += chunk.slice(0, room);
    this.tail += chunk.slice(Math.max(0, room));
    if (this.tail.length > 2 * tailLength) this.trim();
  }

  result(): { output: string; truncated: boolean } {
    this.trim();
    if (this.dropped === 0) return { output: this.head + this.tail, truncated: false };
    return { output: `${this.head}\n[... ${this.dropped.toLocaleString('en-US')} characters left out ...]\n${this.tail}`, truncated: true };
  }

  private trim(): void {
    const extra = this.tail.length - tailLength;
    if (extra <= 0) return;
    this.dropped += extra;
    this.tail = this.tail.slice(extra);
  }
}
