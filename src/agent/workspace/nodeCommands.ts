import { spawn } from 'node:child_process';
import { failure } from '../../base/errors.js';
import type { CommandPort, Isolation } from '../ports.js';
import { allowedEnvironment, killGroup } from './childProcess.js';
import type { Confined, Sandbox } from './sandbox/sandbox.js';

export interface CommandOptions {
  readonly root: string;
  /** Environment of this process; only names on a list are passed on. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs?: number;
  readonly platform?: NodeJS.Platform;
  /** Absent: there is none. */
  readonly sandbox?: Sandbox;
  /** Asked before each command: the user's settings. */
  readonly settings?: () => { readonly sandbox: boolean; readonly network: boolean };
}

/** Characters kept of the output's beginning and end: errors stand at either. */
const headLength = 4_000;
const tailLength = 12_000;
const termGraceMs = 1_500;

/** Nothing may wait for input or open a pager. */
const fixed = { CI: '1', TERM: 'dumb', NO_COLOR: '1', PAGER: 'cat', GIT_PAGER: 'cat', GIT_TERMINAL_PROMPT: '0', GIT_EDITOR: 'true', EDITOR: 'true' };

/**
 * Runs a command that the user approved, in a shell, in the workspace folder, in a process group of its own that is killed
 * whole: on a stop, at the time-out, and when the command ends and leaves something behind.
 */
export class NodeCommands implements CommandPort {
  constructor(private readonly options: CommandOptions) {}

  async isolation(): Promise<Isolation> {
    const { sandbox, settings } = this.options;
    const wanted = settings?.() ?? { sandbox: true, network: false };
    if (!sandbox) return { kind: 'none', why: 'none is set up.' };
    if (!wanted.sandbox) return { kind: 'none', why: 'it is switched off in your settings.' };
    const problem = await sandbox.problem();
    return problem === undefined ? { kind: 'sandbox', network: wanted.network } : { kind: 'none', why: problem };
  }

  async run(command: string, isolation: Isolation, signal: AbortSignal): ReturnType<CommandPort['run']> {
    signal.throwIfAborted();
    if (isolation.kind === 'none') return { ...await this.spawned(undefined, command, signal), made: [] };
    const { sandbox, root } = this.options;
    if (!sandbox) throw failure('tool.failed', 'There is no sandbox to run the command in.', 'Try again.');
    const confined = await sandbox.confine(root, command, isolation.network);
    let made: readonly string[] = [];
    const result = await this.spawned(confined, command, signal).finally(async () => { made = await confined.leave(); });
    return { ...result, made };
  }

  private spawned(confined: Confined | undefined, command: string, signal: AbortSignal): Promise<{ readonly exitCode: number | null; readonly output: string; readonly truncated: boolean; readonly timedOut: boolean }> {
    const windows = (this.options.platform ?? process.platform) === 'win32';
    const [program, args] = confined ? [confined.program, [...confined.args]] : ['/bin/sh', ['-c', command]];
    const child = windows
      ? spawn(command, { cwd: this.options.root, env: this.environment(), stdio: ['ignore', 'pipe', 'pipe'], shell: true, windowsHide: true })
      : spawn(program, args, { cwd: this.options.root, env: this.environment(), stdio: ['ignore', 'pipe', 'pipe'], detached: true });
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
    return { ...allowedEnvironment(this.options.env), ...fixed };
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
