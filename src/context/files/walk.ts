import { lstat, readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { type LeftOutReason, leftOutByName, textOrReason } from './leftOut.js';
import { IgnoreRules, ruleFiles } from './ignoreRules.js';
import { openInside } from './paths.js';

/** A file of the repository as it lies on disk. */
export interface WalkedFile {
  /** Relative to the root, with forward slashes. */
  readonly path: string;
  /** Changes when the file does: size, inode and times. Equal stamps mean equal content, but for a write within the clock's grain. */
  readonly stamp: string;
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  readonly changedMs: number;
}

export interface Walk {
  /** In the order of their paths, by code units. */
  readonly files: readonly WalkedFile[];
  readonly leftOut: Readonly<Partial<Record<LeftOutReason, number>>>;
  /** There were more files than `limit`. */
  readonly truncated: boolean;
  /** Whether a path that is not among the files could be, or could change which are: a rule file, or something new that no rule leaves out. */
  readonly concerns: (path: string) => boolean;
}

const deepest = 40;
const mostRuleBytes = 256 * 1024;
/** Rules of all folders together, each with those above it: a folder of ten thousand long rule files is not to fill the memory. */
const mostRules = 2_000_000;
/** Files that hold links, data of version control, or both; no rule brings them back. */
const never = new Set(['.git', '.hg', '.svn', '.jj', 'CVS']);

/**
 * The files of a folder that are text of its authors: what `.gitignore` (at every level, and `.git/info/exclude`), `.loupeignore` and the rules of Loupe leave
 * in. By an own walk, not by git: it is the same with and without a repository, and starts no process that reads configuration of the folder. Links
 * are not followed. Rejects with the signal's reason.
 */
export async function walk(root: string, { limit, signal, onFolder }: { readonly limit: number; readonly signal: AbortSignal; readonly onFolder?: (files: number) => void }): Promise<Walk> {
  const realRoot = await realpath(root);
  const files: WalkedFile[] = [];
  const leftOut: Partial<Record<LeftOutReason, number>> = {};
  let truncated = false;
  const folders = new Map<string, IgnoreRules>();
  let rulesLeft = mostRules;

  const enter = async (folder: string, rules: IgnoreRules, depth: number): Promise<void> => {
    signal.throwIfAborted();
    const entries = await readdir(join(realRoot, folder), { withFileTypes: true }).catch(() => []);
    const names = new Set(entries.filter((entry) => entry.isFile()).map(({ name }) => name));
    const texts = await Promise.all(ruleFiles.filter((name) => rulesLeft > 0 && names.has(name)).map((name) => ruleText(realRoot, childOf(folder, name))));
    const here = rules.below({ folder, texts: texts.filter((text) => text !== undefined) });
    folders.set(folder, here);
    if (here !== rules) rulesLeft -= here.size;
    for (const entry of entries.toSorted((a, b) => compare(a.name, b.name))) {
      const path = childOf(folder, entry.name);
      if (truncated || never.has(entry.name) || here.ignores(path, entry.isDirectory())) continue;
      if (entry.isDirectory()) {
        if (depth < deepest) await enter(path, here, depth + 1);
      } else if (entry.isFile()) {
        const status = await lstat(join(realRoot, path)).catch(() => undefined);
        if (status?.isFile() !== true) continue;
        const reason = leftOutByName(path, status.size);
        if (reason !== undefined) leftOut[reason] = (leftOut[reason] ?? 0) + 1;
        else if (files.length >= limit) truncated = true;
        else files.push({ path, bytes: status.size, changedMs: Math.max(status.mtimeMs, status.ctimeMs), stamp: [status.size, status.ino, status.mtimeMs, status.ctimeMs].join(' ') });
      }
    }
    onFolder?.(files.length);
  };

  const excludes = await ruleText(realRoot, '.git/info/exclude');
  await enter('', IgnoreRules.root(excludes === undefined ? [] : [excludes], process.platform !== 'linux'), 0);
  files.sort((a, b) => compare(a.path, b.path));
  return { files, leftOut, truncated, concerns: (path) => concerns(path, folders) };
}

function concerns(path: string, folders: ReadonlyMap<string, IgnoreRules>): boolean {
  const segments = path.split('/');
  if (segments.some((segment) => never.has(segment))) return false;
  // The deepest folder that was walked knows the rules for what lies in it.
  let depth = segments.length - 1;
  while (depth > 0 && !folders.has(segments.slice(0, depth).join('/'))) depth--;
  const child = segments.slice(0, depth + 1).join('/');
  if (ruleFiles.some((name) => name === segments.at(-1))) return true;
  return folders.get(segments.slice(0, depth).join('/'))?.ignores(child, depth < segments.length - 1) !== true;
}

/**
 * The text of a walked file, or why it is left out. Through the path check, which follows no folder that was swapped for a link; a path that means another
 * file there (spaces at its ends, a name with `\`) counts as unreadable.
 */
export async function readText(root: string, path: string): Promise<{ readonly text: string } | { readonly reason: LeftOutReason }> {
  try {
    const { handle, resolved } = await openInside(root, path);
    try {
      if (resolved.relative !== path) return { reason: 'unreadable' };
      const { size } = await handle.stat();
      const reason = leftOutByName(path, size);
      return reason === undefined ? textOrReason(path, await handle.readFile()) : { reason };
    } finally {
      await handle.close();
    }
  } catch {
    return { reason: 'unreadable' };
  }
}

async function ruleText(root: string, path: string): Promise<string | undefined> {
  try {
    const { handle, resolved } = await openInside(root, path);
    try {
      if (resolved.relative !== path || (await handle.stat()).size > mostRuleBytes) return undefined;
      return await handle.readFile('utf8');
    } finally {
      await handle.close();
    }
  } catch {
    return undefined; // most folders have none
  }
}

const childOf = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`);

/** By UTF-16 code units: the same on every machine, whatever its language. */
export const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
