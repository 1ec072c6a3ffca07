import picomatch from 'picomatch';
import { failure } from '../../base/errors.js';
import type { Diagnostic, SymbolMatch, TextMatch, WorkspacePort } from '../ports.js';
import { normalisePath, openInside, resolveInside } from '../../context/files/paths.js';
import { isSecretPath } from '../../base/secretPaths.js';
import { runRipgrep } from './ripgrep.js';
import { definitionPattern, rankSymbols, symbolOf } from './symbols.js';
import { clean, ignoring, searchText } from './textSearch.js';

const mostFileBytes = 2_000_000;
const mostCandidates = 2_000;

/**
 * A folder on disk: files and ripgrep, without an editor. Ignored files and files that hold credentials do not exist here.
 * Globs are applied by us, because a glob given to ripgrep brings ignored files back.
 */
export class NodeWorkspace implements WorkspacePort {
  constructor(readonly root: string, private readonly ripgrep: string) {}

  async listFiles(options: { readonly glob?: string; readonly under?: string; readonly limit: number }, signal: AbortSignal): Promise<{ readonly paths: readonly string[]; readonly truncated: boolean }> {
    const under = options.under === undefined ? '' : normalisePath(options.under, this.root);
    const { exists } = await resolveInside(this.root, under);
    if (!exists) throw failure('path.notFound', `There is no folder ${JSON.stringify(under)}.`, 'List the files of a folder above it.');
    const wanted = globFilter(options.glob);
    const paths: string[] = [];
    const args = ['--files', '--null', '--sort=path', ...ignoring, '--', under === '' ? './' : `./${under}`];
    await runRipgrep(this.ripgrep, this.root, args, '\0', (line) => {
      const path = clean(line);
      if (wanted(path) && !isSecretPath(path)) paths.push(path);
      return paths.length <= options.limit;
    }, signal);
    return { paths: paths.slice(0, options.limit), truncated: paths.length > options.limit };
  }

  async readFile(path: string, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    if (isSecretPath(normalisePath(path, this.root))) throw secret(path);
    const { handle, resolved } = await openInside(this.root, path);
    try {
      if (isSecretPath(resolved.relative)) throw secret(path); // a link with a harmless name
      const { size } = await handle.stat();
      if (size > mostFileBytes) {
        throw failure('tool.failed', `${JSON.stringify(path)} is too large to read (${size.toLocaleString('en-US')} bytes).`, 'Search in it with search_text instead.');
      }
      const bytes = await handle.readFile({ signal });
      if (bytes.subarray(0, 8_192).includes(0)) throw failure('tool.failed', `${JSON.stringify(path)} is not a text file.`, 'Choose a text file.');
      return bytes.toString('utf8');
    } finally {
      await handle.close();
    }
  }

  async searchText(options: { readonly pattern: string; readonly regex: boolean; readonly caseSensitive: boolean; readonly glob?: string; readonly limit: number }, signal: AbortSignal): Promise<{ readonly matches: readonly TextMatch[]; readonly truncated: boolean }> {
    const how = [...(options.regex ? [] : ['--fixed-strings']), options.caseSensitive ? '--case-sensitive' : '--ignore-case'];
    const search = { binary: this.ripgrep, root: this.root, options: how, pattern: options.pattern, wanted: globFilter(options.glob), most: options.limit + 1 };
    const matches = await searchText(search, signal);
    return { matches: matches.slice(0, options.limit), truncated: matches.length > options.limit };
  }

  async findSymbol(name: string, limit: number, signal: AbortSignal): Promise<readonly SymbolMatch[]> {
    const search = { binary: this.ripgrep, root: this.root, options: ['--case-sensitive'], pattern: definitionPattern(name), wanted: () => true, most: mostCandidates };
    const candidates = await searchText(search, signal);
    return rankSymbols(candidates.flatMap(({ path, line, text }) => symbolOf(name, path, line, text) ?? [])).slice(0, limit);
  }

  diagnostics(): Promise<readonly Diagnostic[] | undefined> {
    return Promise.resolve(undefined);
  }
}

/** Whether a path, relative to the root, matches a glob. Without a slash a glob means the file name anywhere, as in .gitignore. */
export function globFilter(glob: string | undefined): (path: string) => boolean {
  if (glob === undefined || glob.trim() === '') return () => true;
  const pattern = glob.trim().replace(/^\.?\//, '').replace(/\/$/, '/**');
  return picomatch(pattern, { dot: true, nocase: true, basename: !pattern.includes('/') });
}

function secret(path: string): Error {
  return failure('tool.refused', `${JSON.stringify(path)} may hold credentials and is not read.`, 'Ask the user for what you need from it.');
}
