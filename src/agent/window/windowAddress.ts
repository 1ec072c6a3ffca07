import { readFileSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { ensureStateDir, isAlive, readPrivateJson, shortHash, writePrivateJson } from '../../model/sidecar/stateFiles.js';

/** Where a window answers for one of its folders, as it writes it for programs of the same user. The token proves that a program may read this file. */
const addressSchema = z.object({
  socket: z.string().min(1),
  token: z.string().min(32),
  pid: z.number().int().positive(),
  /** Absolute, without links. */
  folder: z.string().min(1),
});
export type WindowAddress = z.infer<typeof addressSchema>;

const fileOf = (stateDir: string, folder: string): string => join(stateDir, `window-${shortHash(folder)}.json`);

export async function writeWindowAddress(stateDir: string, address: WindowAddress): Promise<void> {
  await ensureStateDir(stateDir);
  await writePrivateJson(fileOf(stateDir, address.folder), address, address.pid);
}

/** Removes the address unless another window has written its own meanwhile. Synchronous: it runs while the host ends. */
export function removeWindowAddress(stateDir: string, { folder, token }: WindowAddress): void {
  const file = fileOf(stateDir, folder);
  try {
    const parsed = addressSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
    if (parsed.success && parsed.data.token === token) rmSync(file, { force: true });
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError) && (thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
  }
}

/** The window that has `folder` open; undefined when none has, or none that lives. */
export async function findWindow(stateDir: string, folder: string): Promise<WindowAddress | undefined> {
  const parsed = addressSchema.safeParse(await readPrivateJson(fileOf(stateDir, folder)));
  return parsed.success && parsed.data.folder === folder && isAlive(parsed.data.pid) ? parsed.data : undefined;
}

/** Folders of all windows that live. */
export async function openFolders(stateDir: string): Promise<readonly string[]> {
  const names = await readdir(stateDir).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  });
  const files = names.filter((name) => /^window-[0-9a-f]{8}\.json$/.test(name));
  const found = await Promise.all(files.map(async (name) => addressSchema.safeParse(await readPrivateJson(join(stateDir, name)))));
  return found.flatMap(({ data }) => (data !== undefined && isAlive(data.pid) ? [data.folder] : [])).sort();
}
