import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { McpLaunchPlan } from '../../../protocol/mcpClient.js';

/** A longer one is known by its size and time only: hashing must not take longer than starting. */
const longestHashed = 16 * 1024 * 1024;

/**
 * Files of the workspace that the command line of a server names, with the hash of what they hold: a pull can change a script, and what was approved was the script
 * as it was. What such a file loads in its turn is not seen.
 */
export async function namedFiles(plan: McpLaunchPlan, folder: string): Promise<Readonly<Record<string, string>>> {
  if (plan.kind === 'http') return {};
  const root = await realpath(folder);
  const found: Record<string, string> = {};
  for (const word of [plan.command, ...plan.args]) {
    const file = await fileInside(root, isAbsolute(word) ? word : join(plan.cwd, word));
    if (file !== undefined) found[relative(root, file)] = await contentHash(file);
  }
  return found;
}

async function fileInside(root: string, path: string): Promise<string | undefined> {
  try {
    const real = await realpath(path);
    return real.startsWith(root + sep) && (await stat(real)).isFile() ? real : undefined;
  } catch (thrown) {
    // Most arguments are no path: nothing there, a name too long, or one with a zero in it.
    if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'EACCES', 'ELOOP', 'ERR_INVALID_ARG_VALUE'].includes((thrown as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw thrown;
  }
}

async function contentHash(file: string): Promise<string> {
  const { size, mtimeMs } = await stat(file);
  if (size > longestHashed) return `${size} bytes of ${mtimeMs}`;
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
