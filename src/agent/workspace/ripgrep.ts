import { spawn } from 'node:child_process';
import { failure } from '../../base/errors.js';

/** Bytes of an unfinished line after which the output is not text worth reading. */
const longestLine = 1_000_000;
const mostErrors = 4_000;

/**
 * Runs ripgrep and hands over its output line by line, without the line ends. `onLine` returns false when it has enough:
 * ripgrep is killed then, as it is when the signal aborts. The caller's arguments come after ours and must not hold options
 * that a model chose.
 */
export async function runRipgrep(binary: string, cwd: string, args: readonly string[], separator: '\n' | '\0', onLine: (line: string) => boolean, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    // No configuration file, and an environment without RIPGREP_CONFIG_PATH or anything else that could change the search.
    const child = spawn(binary, ['--no-config', '--color=never', ...args], {
      cwd, stdio: ['ignore', 'pipe', 'pipe'], env: { SystemRoot: process.env['SystemRoot'], LANG: 'C.UTF-8' }, windowsHide: true,
    });
    let pending = '';
    let errors = '';
    let enough = false;
    const stop = (): void => {
      enough = true;
      child.kill('SIGKILL');
    };
    const onAbort = (): void => stop();
    signal.addEventListener('abort', onAbort, { once: true });
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      if (enough) return;
      const parts = (pending + chunk).split(separator);
      pending = parts.pop() ?? '';
      if (pending.length > longestLine) pending = pending.slice(0, longestLine);
      for (const part of parts) {
        if (onLine(part)) continue;
        stop();
        return;
      }
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      if (errors.length < mostErrors) errors += chunk;
    });
    child.on('error', (error) => {
      signal.removeEventListener('abort', onAbort);
      reject(failure('tool.failed', `The search program could not be started (${error.message}).`, 'Install Loupe again, or report this.'));
    });
    child.on('close', (code) => {
      signal.removeEventListener('abort', onAbort);
      if (signal.aborted) reject(signal.reason as Error);
      else if (enough) resolve();
      else if (code === 0 || code === 1) {
        if (pending !== '') onLine(pending);
        resolve();
      } else reject(searchFailed(errors));
    });
  });
}

function searchFailed(errors: string): Error {
  const text = errors.trim().replace(/^rg: /, '').slice(0, 500);
  return /regex/i.test(text)
    ? failure('tool.badArguments', `The regular expression cannot be read: ${text}`, 'Correct it, or search for plain text.')
    : failure('tool.failed', `The search failed: ${text || 'no message'}.`, 'Try a simpler search.');
}
