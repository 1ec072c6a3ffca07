import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { failure } from '../../base/errors.js';
import type { Repository } from './repository.js';

export interface GitOutput { readonly text: string; readonly truncated: boolean }

const timeoutMs = 30_000;

/**
 * What in a repository's own configuration makes git run a program, talk to the network or look elsewhere, switched off. The folder may be
 * one that nobody trusts. Filters, which have names of their own, are switched off by `withoutFilters`.
 */
const harmless = [
  'core.fsmonitor=false', 'core.hooksPath=/dev/null', 'core.sshCommand=false', 'core.askPass=false', 'core.gitProxy=false', 'core.pager=cat', 'core.editor=true',
  'diff.external=', 'log.showSignature=false', 'gpg.program=false', 'credential.helper=', 'protocol.allow=never', 'blame.ignoreRevsFile=', 'submodule.recurse=false',
  'core.quotePath=false', 'color.ui=false', 'diff.noprefix=false', 'diff.mnemonicPrefix=false', 'log.follow=false', 'diff.renames=true',
] as const;

/** Settings that switch off every filter that the configuration names: `git status` would run them. */
export async function withoutFilters(git: string, repository: Repository, signal: AbortSignal): Promise<readonly string[]> {
  const { text } = await run(git, repository, ['config', '--name-only', '-z', '--get-regexp', String.raw`^filter\.`], { okCodes: [0, 1], mostBytes: 1_000_000 }, signal);
  const names = new Set(text.split('\0').map((key) => /^filter\.(.+)\.[^.]+$/s.exec(key)?.[1]).filter((name) => name !== undefined));
  return [...names].flatMap((name) => [`filter.${name}.clean=`, `filter.${name}.smudge=`, `filter.${name}.process=`, `filter.${name}.required=false`]);
}

export interface RunOptions {
  readonly settings?: readonly string[];
  readonly input?: string;
  readonly mostBytes: number;
  readonly okCodes?: readonly number[];
}

/** Runs git on a repository and gives what it printed, cut at `mostBytes`. Throws LoupeFailure with the first line of its complaint. */
export function run(git: string, { gitDir, workTree, prefix }: Repository, args: readonly string[], options: RunOptions, signal: AbortSignal): Promise<GitOutput> {
  const settings = [...harmless, ...(options.settings ?? [])].flatMap((setting) => ['-c', setting]);
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    // Started elsewhere: on Windows a git.exe in the folder would be taken for the program.
    const child = spawn(git, ['--no-pager', '-C', `${workTree}/${prefix}`, ...settings, ...args], {
      cwd: tmpdir(), env: environment(gitDir, workTree), stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true,
    });
    const chunks: Buffer[] = [];
    let size = 0;
    let errors = '';
    let enough = false;
    const stop = (): void => {
      child.kill('SIGKILL');
    };
    const timer = setTimeout(stop, timeoutMs);
    signal.addEventListener('abort', stop, { once: true });
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    };
    child.stdout.on('data', (chunk: Buffer) => {
      if (enough) return;
      chunks.push(chunk);
      size += chunk.length;
      enough = size > options.mostBytes;
      if (enough) stop();
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      if (errors.length < 4_000) errors += chunk;
    });
    child.stdin.on('error', () => undefined); // git that ended early does not read on; its exit code says why
    child.stdin.end(options.input ?? '');
    child.on('error', (error: NodeJS.ErrnoException) => {
      done();
      reject(error.code === 'ENOENT' ? failure('git.unavailable', 'Git is not installed.', 'Install Git.') : failure('tool.failed', `Git could not be started (${error.message}).`, 'Check the installation of Git.'));
    });
    child.on('close', (code, killedBy) => {
      done();
      if (signal.aborted) reject(signal.reason as Error);
      else if (enough) resolve({ text: Buffer.concat(chunks).subarray(0, options.mostBytes).toString('utf8'), truncated: true });
      else if (code !== null && (options.okCodes ?? [0]).includes(code)) resolve({ text: Buffer.concat(chunks).toString('utf8'), truncated: false });
      else reject(failed(errors, killedBy));
    });
  });
}

function failed(errors: string, killedBy: NodeJS.Signals | null): Error {
  if (killedBy !== null) return failure('tool.timeout', 'Git took too long and was stopped.', 'Ask for less, for example one path.');
  const line = errors.split('\n').find((text) => text.trim() !== '')?.replace(/^(fatal|error): /, '').slice(0, 300) ?? 'no message';
  if (/unknown revision|bad revision|ambiguous argument|not a valid object/i.test(line)) return failure('tool.badArguments', `Git does not know this revision: ${line}.`, 'Look for it with git_log.');
  return failure('tool.failed', `Git failed: ${line}.`, 'Try another way, or say that it failed.');
}

const passedOn = ['PATH', 'HOME', 'USER', 'LOGNAME', 'XDG_CONFIG_HOME', 'SystemRoot', 'SystemDrive', 'PATHEXT', 'USERPROFILE', 'HOMEDRIVE', 'HOMEPATH', 'APPDATA', 'LOCALAPPDATA', 'ProgramData', 'TMPDIR', 'TEMP', 'TMP'] as const;

/** Nothing of ours that could lead git elsewhere; where the repository is is said here, so that its own `core.worktree` says nothing. */
function environment(gitDir: string, workTree: string): Record<string, string> {
  const kept = passedOn.map((name) => [name, process.env[name]] as const).filter((entry): entry is [typeof entry[0], string] => entry[1] !== undefined);
  return {
    ...Object.fromEntries(kept), LC_ALL: 'C.UTF-8', GIT_DIR: gitDir, GIT_WORK_TREE: workTree, GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0',
    // Overrides whatever the repository allows; no transport has this name.
    GIT_ALLOW_PROTOCOL: 'none', GIT_NO_LAZY_FETCH: '1', GIT_NO_REPLACE_OBJECTS: '1', GIT_LITERAL_PATHSPECS: '1',
  };
}
