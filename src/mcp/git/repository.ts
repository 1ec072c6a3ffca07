import { lstat, readFile, realpath } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { failure } from '../../base/errors.js';

/** A repository as git is told it: nothing in it may say otherwise. */
export interface Repository {
  readonly gitDir: string;
  readonly workTree: string;
  /** The served folder relative to the work tree, forward slashes, with a slash at the end; '' when it is the work tree. */
  readonly prefix: string;
}

/**
 * The repository that holds a folder. Its data must lie in it: a `.git` that leads into another repository would show what is in that one. Of
 * links and files that lead elsewhere only what `git worktree` and `git submodule` make is taken, which is named on the other side too.
 * Throws `git.noRepository`.
 */
export async function findRepository(folder: string): Promise<Repository> {
  const real = await realpath(folder);
  for (let at = real; ; at = dirname(at)) {
    const found = await lstat(join(at, '.git')).catch(ignoreMissing);
    if (found !== undefined) {
      const gitDir = found.isDirectory() ? await ownData(join(at, '.git')) : found.isFile() ? await linkedData(at) : undefined;
      if (gitDir === undefined) throw failure('git.noRepository', 'The data of this Git repository lies outside of it.', 'Open the repository that it belongs to.');
      const prefix = relative(at, real).split(sep).join('/');
      return { gitDir, workTree: at, prefix: prefix === '' ? '' : `${prefix}/` };
    }
    if (dirname(at) === at) throw failure('git.noRepository', 'This folder is not in a Git repository.', 'Work without its history.');
  }
}

/** The folder, if everything in it that names commits is its own. */
async function ownData(gitDir: string): Promise<string | undefined> {
  if (await lstat(join(gitDir, 'commondir')).catch(ignoreMissing)) return undefined;
  for (const name of ['HEAD', 'refs', 'packed-refs', 'objects', 'logs', 'index', 'reftable']) {
    const entry = await lstat(join(gitDir, name)).catch(ignoreMissing);
    if (entry?.isSymbolicLink()) return undefined;
  }
  return gitDir;
}

/** Where the file `.git` of a work tree or a submodule leads, if the other side knows of it. */
async function linkedData(workTree: string): Promise<string | undefined> {
  const [, target] = /^gitdir: (.+)$/m.exec(await readFile(join(workTree, '.git'), 'utf8')) ?? [];
  if (target === undefined) return undefined;
  const gitDir = await realpath(resolve(workTree, target.trim())).catch(ignoreMissing);
  if (gitDir === undefined) return undefined;
  const back = await readFile(join(gitDir, 'gitdir'), 'utf8').catch(ignoreMissing);
  if (back !== undefined) return (await realpath(resolve(gitDir, back.trim())).catch(ignoreMissing)) === join(workTree, '.git') ? gitDir : undefined;
  for (let above = dirname(workTree); ; above = dirname(above)) {
    if (gitDir.startsWith(join(above, '.git', 'modules') + sep)) return ownData(gitDir);
    if (dirname(above) === above) return undefined;
  }
}

/** For `catch`: a missing path is an answer, anything else is an error. */
function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
  throw error;
}
