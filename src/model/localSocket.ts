import { chmod, rm } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { ensureStateDir, shortHash } from './sidecar/stateFiles.js';

const names = 20;
/** `sun_path` holds 104 bytes on macOS and 108 on Linux, with the closing zero. */
const longestSocketPath = 103;

/**
 * Binds the server to the first free name of `build`, which is what listens there, and returns that name: a socket in `stateDir` that this user alone
 * can open, or a named pipe. Names of dead processes are taken over.
 */
export async function listenOnFreeName(server: Server, stateDir: string, build: string): Promise<string> {
  const dir = await socketDir(stateDir);
  for (let i = 0; i < names; i++) {
    const name = socketName(dir, stateDir, build, i);
    if (await bound(server, name)) return name;
    if (process.platform !== 'win32' && !(await answers(name))) {
      await rm(name, { force: true });
      if (await bound(server, name)) return name;
    }
  }
  throw new Error(`all ${names} socket names in ${dir} are taken`);
}

export function socketName(dir: string, stateDir: string, build: string, index: number): string {
  if (process.platform === 'win32') return `\\\\.\\pipe\\loupe-${shortHash(`${userInfo().username}|${stateDir}|${build}`)}-${index}`;
  return join(dir, `s-${shortHash(build)}-${index}`);
}

async function socketDir(stateDir: string): Promise<string> {
  if (process.platform === 'win32' || Buffer.byteLength(socketName(stateDir, stateDir, '', 99)) <= longestSocketPath) return stateDir;
  const short = join(tmpdir(), `loupe-${process.getuid?.() ?? 0}-${shortHash(stateDir)}`);
  await ensureStateDir(short);
  return short;
}

async function bound(server: Server, name: string): Promise<boolean> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(name, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw thrown;
  }
  if (process.platform !== 'win32') await chmod(name, 0o600);
  return true;
}

/** Whether somebody listens there. */
function answers(name: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(name);
    const end = (result: boolean): void => {
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', () => end(true));
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT' && error.code !== 'ENOTSOCK'));
  });
}
