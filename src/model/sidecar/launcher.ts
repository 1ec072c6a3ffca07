import { spawn } from 'node:child_process';
import { open, readFile, rm } from 'node:fs/promises';
import type { Clock } from '../../base/clock.js';
import { makeError } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import { err, type Result } from '../../base/result.js';
import { SidecarConnection } from './connection.js';
import { tryLock } from './lock.js';
import { ensureStateDir, isAlive, readAddress, sidecarFiles, type SidecarAddress, type SidecarFiles } from './stateFiles.js';

export interface LaunchOptions {
  /** The sidecar's bundle. */
  readonly entry: string;
  /** Node.js, or Electron that is told to be Node.js. */
  readonly execPath: string;
  readonly stateDir: string;
  /** Names this client in the sidecar's log. */
  readonly client: string;
  readonly build: string;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Bytes that models may take; for shared machines and containers. Absent: what the machine has. */
  readonly memoryLimit?: number;
  /** Have it load the engine that node-llama-cpp publishes, even where Loupe's own is there (`LOUPE_ENGINE=stock`). */
  readonly stockEngine?: boolean;
}

const attachTimeoutMs = 10_000;
const launchTimeoutMs = 30_000;
const pollMs = 40;

/** Attaches to this build's sidecar, starting it when there is none. Several clients may do this at once: one of them starts it. */
export async function attachOrLaunch(options: LaunchOptions, isCancelled: () => boolean): Promise<Result<SidecarConnection>> {
  await ensureStateDir(options.stateDir);
  const files = sidecarFiles(options.stateDir, options.build);
  const deadline = options.clock.monotonic() + launchTimeoutMs;
  const lockOptions = { pid: process.pid, isAlive, clock: options.clock, maxAgeMs: launchTimeoutMs };
  while (!isCancelled()) {
    const attached = await attach(options, files);
    if (attached) return attached;
    const lock = await tryLock(files.lock, lockOptions);
    if (lock) {
      try {
        // Whoever held the lock before may have started one.
        const result = (await attach(options, files)) ?? (await launch(options, files, deadline));
        if (result) return result;
      } finally {
        await lock.release();
      }
    }
    if (options.clock.monotonic() > deadline) return err(unavailable(files, 'It did not start in time.'));
    await sleep(pollMs);
  }
  return err(makeError('cancelled', 'Cancelled.', 'Ask again when you are ready.'));
}

/** Undefined: there is no sidecar to attach to (any more). */
async function attach(options: LaunchOptions, files: SidecarFiles): Promise<Result<SidecarConnection> | undefined> {
  const address = await readAddress(files.address);
  if (!address || address.build !== options.build || !isAlive(address.pid)) return undefined;
  const opened = await SidecarConnection.open(address, options.client, options.build, attachTimeoutMs);
  if (opened === 'refused') return undefined;
  if (opened !== 'silent') return opened;
  options.logger.log('warn', 'The sidecar does not answer; ending it', { pid: address.pid });
  await endHungSidecar(files, address);
  return undefined;
}

async function launch(options: LaunchOptions, files: SidecarFiles, deadline: number): Promise<Result<SidecarConnection> | undefined> {
  await rm(files.address, { force: true });
  const stderr = await open(files.stderr, 'w', 0o600);
  let exited: string | undefined;
  const child = spawn(options.execPath, [options.entry, '--state-dir', options.stateDir, '--build', options.build], {
    cwd: options.stateDir, // not the workspace: nothing in there may influence this process
    env: sidecarEnvironment(options),
    detached: true,
    windowsHide: true,
    stdio: ['ignore', 'ignore', stderr.fd],
  });
  child.once('error', (error) => { exited = error.message; });
  child.once('exit', (code, signal) => { exited ??= `It ended at once (${signal ?? `code ${code}`}).`; });
  child.unref();
  await stderr.close();
  options.logger.log('info', 'Started the sidecar', { pid: child.pid });
  while (options.clock.monotonic() < deadline) {
    if (exited !== undefined) return err(unavailable(files, exited, await lastLines(files.stderr)));
    const address = await readAddress(files.address);
    if (address && address.pid === child.pid) return attach(options, files);
    await sleep(pollMs);
  }
  return err(unavailable(files, 'It did not start in time.', await lastLines(files.stderr)));
}

function sidecarEnvironment(options: LaunchOptions): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = { ...process.env, ELECTRON_RUN_AS_NODE: '1' };
  // An inspector or loader meant for the editor must not run in here.
  delete environment['NODE_OPTIONS'];
  if (options.memoryLimit !== undefined) environment['LOUPE_MEMORY_LIMIT'] = String(options.memoryLimit);
  if (options.stockEngine) environment['LOUPE_ENGINE'] = 'stock';
  return environment;
}

export async function endHungSidecar(files: SidecarFiles, address: Pick<SidecarAddress, 'pid'>): Promise<void> {
  try {
    process.kill(address.pid, 'SIGKILL');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') throw thrown;
  }
  const current = await readAddress(files.address);
  if (current?.pid === address.pid) await rm(files.address, { force: true });
}

async function lastLines(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim().split('\n').slice(-5).join('\n');
  } catch {
    return ''; // only decoration of an error that is reported anyway
  }
}

const unavailable = (files: SidecarFiles, why: string, cause?: string) =>
  makeError('sidecar.unavailable', `The model process cannot be started. ${why}`, `Look into the log ${files.log}, then run "Loupe: Restart Sidecar".`, cause, { log: files.log });

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
