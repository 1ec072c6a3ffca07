import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { failure } from '../../base/errors.js';

const commits = 500;
const longestMs = 5_000;
const mostBytes = 16_000_000;

/**
 * How many of the last 500 commits changed each file of a folder, by its path relative to it. Empty where there is no git, no history, or none that git trusts.
 * Rejects with the signal's reason.
 *
 * A repository's own configuration can name programs and remotes. What a log would run (signature checks, a file system monitor, hooks) is switched
 * off, no protocol is allowed to fetch what a partial clone lacks, and git is not looked for in the folder itself.
 */
export async function changeCounts(root: string, signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
  signal.throwIfAborted();
  const args = [
    '-C', root, '--no-pager', '--no-optional-locks', '-c', 'core.fsmonitor=false', '-c', 'log.showSignature=false', '-c', 'core.hooksPath=', '-c', 'protocol.allow=never',
    'log', `--max-count=${commits}`, '--no-merges', '--no-renames', '--no-mailmap', '--no-ext-diff', '--no-textconv', '--format=', '--name-only', '-z', '--relative', 'HEAD', '--', '.',
  ];
  const { PATH, HOME, USERPROFILE, SystemRoot } = process.env;
  const env = { PATH, HOME, USERPROFILE, SystemRoot, LC_ALL: 'C', GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0', GIT_NO_LAZY_FETCH: '1', GIT_ALLOW_PROTOCOL: 'none', GIT_OPTIONAL_LOCKS: '0' };
  const output = await new Promise<string>((resolve, reject) => {
    const child = spawn('git', args, { cwd: dirname(process.execPath), env, stdio: ['ignore', 'pipe', 'ignore'], windowsHide: true, timeout: longestMs, killSignal: 'SIGKILL' });
    const chunks: Buffer[] = [];
    let bytes = 0;
    const onAbort = (): void => void child.kill('SIGKILL');
    signal.addEventListener('abort', onAbort, { once: true });
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > mostBytes) child.kill('SIGKILL');
      else chunks.push(chunk);
    });
    child.on('error', () => resolve('')); // there is no git
    child.on('close', (code) => {
      signal.removeEventListener('abort', onAbort);
      if (signal.aborted) reject(signal.reason instanceof Error ? signal.reason : failure('cancelled', 'Cancelled.', 'Ask again when you are ready.'));
      // Half a history would sort files by what happened to be read.
      else resolve(code === 0 ? Buffer.concat(chunks).toString('utf8') : '');
    });
  });
  const counts = new Map<string, number>();
  for (const path of output.split('\0')) if (path !== '') counts.set(path, (counts.get(path) ?? 0) + 1);
  return counts;
}
