import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** Files of a workspace folder with what they held when somebody looked: path relative to the folder, forward slashes -> sha256 in hex. */
export type FileHashes = Readonly<Record<string, string>>;

/** A longer one is known by its size and time only: hashing must not take longer than starting. */
const longestHashed = 16 * 1024 * 1024;

/**
 * Files of the workspace that words name, with the hash of what they hold: a pull can change a script, and what was approved was the script as it was.
 * What such a file loads in its turn is not seen.
 * @param bases absolute folders that a relative word may start from
 */
export async function namedFiles(folder: string, words: readonly string[], bases: readonly string[]): Promise<FileHashes> {
  const root = await realpath(folder);
  const found: Record<string, string> = {};
  for (const word of new Set(words)) {
    for (const base of isAbsolute(word) ? [''] : bases) {
      const file = await inside(root, join(base, word), 'file');
      if (file !== undefined) found[relative(root, file).split(sep).join('/')] ??= await contentHash(file);
    }
  }
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What these programs run stands in a file that their command does not name. */
const manifests: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(['npm', 'npx', 'pnpm', 'yarn', 'bun', 'node'].map((name) => [name, ['package.json']])),
  make: ['GNUmakefile', 'makefile', 'Makefile'], gmake: ['GNUmakefile', 'makefile', 'Makefile'],
  just: ['justfile', '.justfile', 'Justfile'], task: ['Taskfile.yml', 'Taskfile.yaml'], deno: ['deno.json', 'deno.jsonc', 'package.json'],
  cargo: ['Cargo.toml', 'build.rs', '.cargo/config.toml'], composer: ['composer.json'], rake: ['Rakefile'], gradle: ['build.gradle', 'build.gradle.kts'], gradlew: ['build.gradle', 'build.gradle.kts'],
  mvn: ['pom.xml'], mvnw: ['pom.xml'], tox: ['tox.ini', 'pyproject.toml'], pytest: ['pytest.ini', 'pyproject.toml', 'conftest.py'],
};

/** Folders that a command names, in which it may look for the files it names: more are not tried, so that a long command costs no time. */
const mostBases = 8;
const mostWords = 400;

/**
 * Files of the workspace that a shell command, run in `folder`, names: as words, in quotes, behind `cd DIR` or a folder among its words, and where a program that
 * runs what a file says takes that from a file of a fixed name. Names that the shell makes (globs, variables) are not seen.
 */
export async function commandFiles(folder: string, command: string): Promise<FileHashes> {
  const words = wordsOf(command).slice(0, mostWords);
  const root = await realpath(folder);
  const bases = [root];
  for (const word of words) {
    if (bases.length === mostBases) break;
    const base = await inside(root, isAbsolute(word) ? word : join(root, word), 'folder');
    if (base !== undefined && !bases.includes(base)) bases.push(base);
  }
  const implied = words.flatMap((word) => manifests[word.split(/[\\/]/).at(-1) ?? ''] ?? []);
  return namedFiles(root, [...words, ...implied], bases);
}

/** Words as a shell may make them, in more than one way: what is no path is dropped later. */
function wordsOf(command: string): readonly string[] {
  // What the command writes is not what it runs.
  const read = command.replace(/\d*&?>>?\|?\s*("[^"]*"|'[^']*'|[^\s;&|<>()"']+)/g, ' ');
  const quoted = [...read.matchAll(/"([^"]*)"|'([^']*)'/g)].map(([, double, single]) => double ?? single ?? '');
  const plain = read.replace(/\\ /g, '\0').split(/[\s;&|<>(){}"'`$=,]+/).map((word) => word.replaceAll('\0', ' '));
  return [...new Set([...plain, ...quoted])].filter((word) => word !== '');
}

/** Names of files that are not as they were, or were not there, or are not there any more. */
export function changedFiles(before: FileHashes, now: FileHashes): readonly string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(now)])].filter((path) => before[path] !== now[path]).sort();
}

/** Up to three of them, in quotes, for a sentence. */
export const fewNames = (paths: readonly string[]): string =>
  `${paths.slice(0, 3).map((path) => JSON.stringify(path)).join(', ')}${paths.length > 3 ? ` and ${paths.length - 3} more` : ''}`;

async function inside(root: string, path: string, kind: 'file' | 'folder'): Promise<string | undefined> {
  try {
    const real = await realpath(path);
    if (real !== root && !real.startsWith(root + sep)) return undefined;
    const entry = await stat(real);
    return (kind === 'file' ? entry.isFile() : entry.isDirectory()) ? real : undefined;
  } catch (thrown) {
    // Most words are no path: nothing there, a name too long, or one with a zero in it.
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
