import { isSecretPath } from '../../base/secretPaths.js';
import type { TextMatch } from '../ports.js';
import { runRipgrep } from './ripgrep.js';

const mostFileBytes = 2_000_000;
const mostLineLength = 300;
/** From so many matches on it is quicker to begin anew in order of paths and to stop early. */
const fewMatches = 1_000;

/** Hidden files are shown, since workflows and settings matter; the repository's own data and ignored files are not. */
export const ignoring = ['--hidden', '--no-require-git', '--glob=!.git'] as const;

/** ripgrep's own form of a path, as ours. A line break left by the line before in a file name goes too. */
export const clean = (path: string): string => path.replaceAll('\\', '/').replace(/^\.\//, '');

export interface TextSearch {
  readonly binary: string;
  readonly root: string;
  /** Options of ripgrep, never of a model's choice. */
  readonly options: readonly string[];
  readonly pattern: string;
  /** Whether files of this path count. */
  readonly wanted: (path: string) => boolean;
  readonly most: number;
}

/**
 * The first `most` matching lines in order of paths. ripgrep searches on all cores only without an order: so it does, and what it found is put
 * in order here. Where that is much more than is asked for, it searches again in order, on one core, and is stopped when there is enough.
 */
export async function searchText(search: TextSearch, signal: AbortSignal): Promise<readonly TextMatch[]> {
  const { most } = search;
  const enough = Math.max(fewMatches, 4 * most);
  // Of no file more than `most` lines can be among the first.
  const anywhere = await collect(search, [`--max-count=${most}`], enough, signal);
  if (anywhere.length < enough) return inOrder(anywhere).slice(0, most);
  return collect(search, ['--sort=path'], most, signal);
}

async function collect({ binary, root, options, pattern, wanted }: TextSearch, more: readonly string[], most: number, signal: AbortSignal): Promise<readonly TextMatch[]> {
  const matches: TextMatch[] = [];
  const args = [
    '--null', '--line-number', '--no-heading', '--with-filename', '--no-messages', '--crlf', `--max-filesize=${mostFileBytes}`,
    `--max-columns=${mostLineLength}`, '--max-columns-preview', ...ignoring, ...options, ...more, '--regexp', pattern, '--', './',
  ];
  await runRipgrep(binary, root, args, '\n', (row) => {
    const end = row.indexOf('\0');
    const colon = row.indexOf(':', end);
    const path = clean(row.slice(0, end));
    if (end >= 0 && colon >= 0 && !isSecretPath(path) && wanted(path)) matches.push({ path, line: Number(row.slice(end + 1, colon)), text: row.slice(colon + 1).replace(/\r$/, '') });
    return matches.length < most;
  }, signal);
  return matches;
}

/** As `--sort=path` has it: by the bytes of each name, folder by folder. Lines of one file stand in their order already. */
function inOrder(matches: readonly TextMatch[]): readonly TextMatch[] {
  const keys = new Map<string, Buffer>();
  for (const { path } of matches) if (!keys.has(path)) keys.set(path, Buffer.from(path.replaceAll('/', '\0')));
  const keyOf = (path: string): Buffer => keys.get(path) ?? Buffer.alloc(0);
  return [...matches].sort((a, b) => (a.path === b.path ? 0 : Buffer.compare(keyOf(a.path), keyOf(b.path))));
}
