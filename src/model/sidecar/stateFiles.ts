import { createHash } from 'node:crypto';
import { constants, readFileSync, rmSync } from 'node:fs';
import { chmod, lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { failure } from '../../base/errors.js';

/** Where a running sidecar listens, as it writes it for its clients. The token proves that a client may read this file. */
export const addressSchema = z.object({
  socket: z.string().min(1),
  token: z.string().min(32),
  pid: z.number().int().positive(),
  build: z.string(),
});
export type SidecarAddress = z.infer<typeof addressSchema>;

export interface SidecarFiles {
  readonly address: string;
  /** Held by the client that starts a sidecar. */
  readonly lock: string;
  readonly log: string;
  /** What native code and Node.js itself write before they die. */
  readonly stderr: string;
  /** Model files that are not loaded any more; see quarantine.ts. */
  readonly quarantine: string;
}

/** Each build has its own files, so that two versions of Loupe never talk to each other's sidecar. */
export function sidecarFiles(stateDir: string, build: string): SidecarFiles {
  const name = join(stateDir, `sidecar-${shortHash(build)}`);
  return { address: `${name}.json`, lock: `${name}.lock`, log: `${name}.log`, stderr: `${name}.stderr.log`, quarantine: `${name}.quarantine.json` };
}

export const shortHash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 8);

const ownedByUs = (uid: number): boolean => process.getuid === undefined || process.getuid() === uid;

/** Makes the folder, readable by this user only. Refuses a link and a folder of somebody else. */
export async function ensureStateDir(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const stat = await lstat(dir);
  if (!stat.isDirectory() || !ownedByUs(stat.uid)) {
    throw failure('sidecar.unavailable', `The folder ${dir} belongs to somebody else.`, 'Remove it, so that Loupe can make its own.');
  }
  if (process.platform !== 'win32' && (stat.mode & 0o077) !== 0) await chmod(dir, 0o700);
}

/** The address, or undefined when there is none that this user alone could have written. */
export async function readAddress(path: string): Promise<SidecarAddress | undefined> {
  const parsed = addressSchema.safeParse(await readPrivateJson(path));
  return parsed.success ? parsed.data : undefined;
}

export function writeAddress(path: string, address: SidecarAddress): Promise<void> {
  return writePrivateJson(path, address, address.pid);
}

/** What a file holds that nobody but this user can have written or read; undefined where there is no such file. */
export async function readPrivateJson(path: string): Promise<unknown> {
  let file;
  try {
    file = await open(path, constants.O_RDONLY | (process.platform === 'win32' ? 0 : constants.O_NOFOLLOW));
  } catch {
    return undefined; // absent, or a link: both mean that no process of ours wrote it
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile() || stat.size > 65_536 || !ownedByUs(stat.uid)) return undefined;
    if (process.platform !== 'win32' && (stat.mode & 0o077) !== 0) return undefined;
    return JSON.parse(await file.readFile('utf8')) as unknown;
  } catch {
    return undefined; // half-written or foreign: treated as absent, whoever is to write it writes it anew
  } finally {
    await file.close();
  }
}

/** Writes a file that this user alone can read, in one step. `pid` tells processes apart that write at the same time. */
export async function writePrivateJson(path: string, value: unknown, pid: number): Promise<void> {
  const temporary = `${path}.${pid}.tmp`;
  await rm(temporary, { force: true });
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(JSON.stringify(value));
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

/** Removes the address unless another sidecar has written its own meanwhile. Synchronous: it runs while the process ends. */
export function removeAddress(path: string, pid: number): void {
  try {
    const parsed = addressSchema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
    if (parsed.success && parsed.data.pid === pid) rmSync(path, { force: true });
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError) && (thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}
