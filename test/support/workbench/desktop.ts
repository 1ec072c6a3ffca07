import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { downloadAndUnzipVSCode, resolveCliPathFromVSCodeExecutablePath } from '@vscode/test-electron';

/** A desktop VS Code on disk. */
export interface Desktop {
  readonly executable: string;
  /** The script that installs extensions. */
  readonly cli: string;
}

/** Downloads the current VS Code into .vscode-test unless it is there. */
export async function downloadDesktop(): Promise<Desktop> {
  return desktopAt(await downloadAndUnzipVSCode('stable'));
}

/** The VS Code whose executable the downloader thinks is at `expected`. */
export function desktopAt(expected: string): Desktop {
  return { executable: existing(expected), cli: resolveCliPathFromVSCodeExecutablePath(expected) };
}

/** Since 1.131 the executable on macOS has the product's name, no longer `Electron`, which the downloader's release for Node 20 still says. */
function existing(executable: string): string {
  const folder = path.dirname(executable);
  if (fs.existsSync(executable) || path.basename(folder) !== 'MacOS') return executable;
  const [only, ...more] = fs.readdirSync(folder).filter(name => !name.startsWith('.'));
  if (only === undefined || more.length > 0) throw new Error(`${folder} holds no one executable`);
  return path.join(folder, only);
}

/** `code` is a .cmd file on Windows, which only a shell can start; then every word needs quotes. */
export function install({ cli }: Desktop, args: readonly string[], env: NodeJS.ProcessEnv): void {
  const shell = process.platform === 'win32';
  const word = (text: string) => shell ? `"${text}"` : text;
  const { status, stdout, stderr, error } = spawnSync(word(cli), args.map(word), { env, encoding: 'utf8', shell });
  if (status !== 0) throw new Error(`${cli} ${args.join(' ')} failed\n${error?.message ?? ''}${stdout}${stderr}`);
}

/**
 * Runs VS Code until it ends by itself; gives its exit status, 124 past the limit. Not by `runTests` of the downloader: that trusts every
 * workspace, passes our whole environment on, and starts it through a shell on Windows.
 */
export function runDesktop({ executable }: Desktop, args: readonly string[], env: NodeJS.ProcessEnv, seconds: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(executable, [...always, ...args], { env, stdio: ['ignore', 'inherit', 'inherit'], detached: process.platform !== 'win32' });
    let late = false;
    const end = () => child.pid !== undefined && killTree(child.pid);
    const onSignal = () => {
      end();
      process.exit(130);
    };
    const timer = setTimeout(() => {
      late = true;
      console.error(`VS Code did not end within ${seconds} s`);
      end();
    }, seconds * 1000);
    const done = () => {
      clearTimeout(timer);
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    };
    process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
    child.once('error', error => {
      done();
      reject(error);
    });
    child.once('exit', code => {
      done();
      end(); // helpers that outlive the main process would hold the profile's files
      resolve(late ? 124 : code ?? 1);
    });
  });
}

const always = [
  // Containers and CI images forbid the namespaces of Chromium's sandbox.
  ...(process.platform === 'linux' ? ['--no-sandbox', '--disable-dev-shm-usage'] : []),
  '--disable-gpu-sandbox', '--disable-updates', '--disable-telemetry', '--disable-crash-reporter', '--skip-welcome', '--skip-release-notes',
  // A home without a keychain would make macOS ask for one in a dialog.
  '--use-inmemory-secretstorage', '--password-store=basic',
];

function killTree(pid: number): void {
  if (process.platform === 'win32') {
    spawnSync('taskkill', ['/pid', String(pid), '/T', '/F'], { stdio: 'ignore' });
    return;
  }
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // ESRCH: all gone already
  }
}
