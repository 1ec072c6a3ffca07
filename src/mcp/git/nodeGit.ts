import { failure } from '../../base/errors.js';
import { isSecretPath } from '../../base/secretPaths.js';
import { resolveInside } from '../../context/files/paths.js';
import type { BlamedLine, Commit, Git, GitStatus } from './git.js';
import { logFormat, parseBlame, parseLog, parseStatus } from './parse.js';
import { findRepository, type Repository } from './repository.js';
import { run, withoutFilters } from './runGit.js';

const mostBytes = 4_000_000;
/** Of a diff: what fits a result. */
const diffBytes = 48_000;
const mostDiffFiles = 400;

/** Git on the served folder, by the program. Reads only, and lets the repository start nothing; see `runGit.ts`. */
export class NodeGit implements Git {
  constructor(private readonly root: string, private readonly program = 'git') {}

  async status(signal: AbortSignal): Promise<GitStatus> {
    const { repository, settings } = await this.open(signal);
    const args = ['status', '--porcelain=v2', '--branch', '-z', '--untracked-files=all', '--ignore-submodules=all', '--', '.'];
    const { text } = await run(this.program, repository, args, { settings, mostBytes }, signal);
    return parseStatus(text, (path) => inside(repository, path));
  }

  async diff({ staged, revision, path }: { readonly staged: boolean; readonly revision?: string; readonly path?: string }, signal: AbortSignal): ReturnType<Git['diff']> {
    const { repository, settings } = await this.open(signal);
    const of = [...(staged ? ['--cached'] : []), ...(revision === undefined ? [] : ['--end-of-options', checkedRevision(revision)])];
    const safe = ['--no-ext-diff', '--no-textconv', '--ignore-submodules=all', '--relative'];
    const within = path === undefined ? '.' : await this.checkedPath(path);
    const named = await run(this.program, repository, ['diff', '--name-only', '-z', ...safe, ...of, '--', within], { settings, mostBytes }, signal);
    const files = named.text.split('\0').filter((name) => name !== '' && !isSecretPath(name));
    if (files.length === 0) return { diff: '', files: [], truncated: false };
    const shown = files.slice(0, mostDiffFiles);
    const { text, truncated } = await run(this.program, repository, ['diff', ...safe, ...of, '--', ...shown], { settings, mostBytes: diffBytes }, signal);
    return { diff: text, files: shown, truncated: truncated || shown.length < files.length };
  }

  async log({ path, revision, skip, limit }: { readonly path?: string; readonly revision?: string; readonly skip: number; readonly limit: number }, signal: AbortSignal): Promise<readonly Commit[]> {
    const { repository, settings } = await this.open(signal);
    const args = [
      'log', '-z', `--format=${logFormat}`, `--skip=${skip}`, `--max-count=${limit}`, '--no-show-signature',
      ...(revision === undefined ? [] : ['--end-of-options', checkedRevision(revision)]), '--', path === undefined ? '.' : await this.checkedPath(path),
    ];
    return parseLog((await run(this.program, repository, args, { settings, mostBytes }, signal)).text);
  }

  async blame({ path, text, startLine, endLine }: { readonly path: string; readonly text: string; readonly startLine: number; readonly endLine: number }, signal: AbortSignal): Promise<readonly BlamedLine[]> {
    const { repository, settings } = await this.open(signal);
    const args = ['blame', '--no-textconv', '--porcelain', '-L', `${startLine},${endLine}`, '--contents', '-', '--', await this.checkedPath(path)];
    return parseBlame((await run(this.program, repository, args, { settings, input: text, mostBytes }, signal)).text);
  }

  private async open(signal: AbortSignal): Promise<{ readonly repository: Repository; readonly settings: readonly string[] }> {
    const repository = await findRepository(this.root);
    return { repository, settings: await withoutFilters(this.program, repository, signal) };
  }

  private async checkedPath(path: string): Promise<string> {
    const { relative } = await resolveInside(this.root, path);
    if (isSecretPath(relative)) throw failure('tool.refused', `${JSON.stringify(path)} may hold credentials and is not read.`, 'Ask the user for what you need from it.');
    return relative === '' ? '.' : relative;
  }
}

/** A path of the repository as one of the served folder. */
function inside({ prefix }: Repository, path: string): string | undefined {
  return path.startsWith(prefix) && !isSecretPath(path) ? path.slice(prefix.length) : undefined;
}

/** Names, hashes and ranges of them. No colon: `HEAD:.env` is a file, which the list of changed files would not name. */
function checkedRevision(revision: string): string {
  if (/^[\w./@{}^~+-]{1,200}$/.test(revision) && !revision.startsWith('-')) return revision;
  throw failure('tool.badArguments', `${JSON.stringify(revision.slice(0, 80))} is not a revision.`, 'Give a branch, a tag, a hash or a range of them.');
}
