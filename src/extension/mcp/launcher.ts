import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { writeFileAtomic } from '../storage/atomicFile.js';

/**
 * A file that starts the MCP server of the installed version, under a path that stays the same over updates: what users copy into the
 * configuration of other programs names it. Returns its path.
 */
export async function writeLauncher(cache: string, module: string): Promise<string> {
  const file = join(cache, 'bin', 'loupe-mcp.mjs');
  const text = `// Written by Loupe: starts the MCP server of the version that is installed.\nawait import(${JSON.stringify(pathToFileURL(module).href)});\n`;
  if (await readFile(file, 'utf8').catch(ignoreMissing) === text) return file;
  await writeFileAtomic(file, text);
  return file;
}

/** For `catch`: a missing file is an answer, anything else is an error. */
function ignoreMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
  throw error;
}
