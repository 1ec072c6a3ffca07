import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../../base/errors.js';
import { parseJsonc } from './jsonc.js';
import { mergeServers, type ParsedServers, parseServers } from './serverConfig.js';

/** Where a workspace names servers, in its folder. */
export const workspaceFile = '.vscode/mcp.json';
const longestFile = 1024 * 1024;

/** The servers of the user's settings and of a folder. What cannot be understood is a problem, said in a sentence; nothing is thrown. */
export async function configuredServers(settings: unknown, folder: string): Promise<ParsedServers> {
  return mergeServers(parseServers(settings, 'user'), await fromFile(join(folder, workspaceFile)));
}

async function fromFile(path: string): Promise<ParsedServers> {
  try {
    const text = await readShort(path);
    if (text === undefined) return { servers: [], problems: [] };
    const value = parseJsonc(text);
    return parseServers(typeof value === 'object' && value !== null && 'servers' in value ? value.servers : undefined, 'workspace');
  } catch (thrown) {
    return { servers: [], problems: [`${workspaceFile} cannot be read (${messageOf(thrown)}).`] };
  }
}

async function readShort(path: string): Promise<string | undefined> {
  let file;
  try {
    file = await open(path, 'r');
  } catch (thrown) {
    if (['ENOENT', 'ENOTDIR'].includes((thrown as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw thrown;
  }
  try {
    const stats = await file.stat();
    if (!stats.isFile() || stats.size > longestFile) throw new Error('it is no file, or too long');
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
