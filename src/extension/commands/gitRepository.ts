import * as vscode from 'vscode';
import { failure } from '../../base/errors.js';
import { isSecretPath } from '../../base/secretPaths.js';
import { type NewFile, newFilesDiff } from './newFilesDiff.js';
import { chooseRepository } from './chooseRepository.js';

/** The part of the built-in git extension's API (version 1) that is used here. */
interface GitChange { readonly uri: vscode.Uri; readonly status: number }
interface GitRepository {
  readonly rootUri: vscode.Uri;
  readonly inputBox: { value: string };
  readonly state: { readonly workingTreeChanges: readonly GitChange[]; readonly untrackedChanges: readonly GitChange[] };
  status(): Promise<void>;
  diff(cached?: boolean): Promise<string>;
}
interface GitApi {
  readonly repositories: readonly GitRepository[];
  getRepository(uri: vscode.Uri): GitRepository | null;
}
interface GitExtension { readonly enabled: boolean; getAPI(version: 1): GitApi }

/** What git calls a file that it does not know yet. */
const untracked = 7;
/** New files beyond these are named, not read: nobody wrote them by hand. Bytes of one, and their number. */
const largestNewFile = 100_000;
const mostNewFiles = 50;

export async function gitRepository(folder: vscode.Uri): Promise<GitRepository> {
  const extension = vscode.extensions.getExtension<GitExtension>('vscode.git');
  if (!extension) throw failure('git.unavailable', 'The Git extension is not there.', 'Enable the built-in Git extension and try again.');
  const git = extension.isActive ? extension.exports : await extension.activate();
  if (!git.enabled) throw failure('git.unavailable', 'Git is switched off in this editor.', 'Switch the setting git.enabled on, and install Git where it is missing.');
  const api = git.getAPI(1);
  const repository = api.getRepository(folder) ?? chooseRepository(folder.fsPath, api.repositories);
  if (!repository) {
    throw failure('git.noRepository', `${folder.path.split('/').at(-1) ?? 'This folder'} is not a Git repository that VS Code has opened.`, 'Initialise one in Source Control, or open the folder of your repository.');
  }
  return repository;
}

/** What would be committed, else what has changed, as a diff; '' when nothing has. */
export async function stagedOrWorkingDiff(repository: GitRepository): Promise<string> {
  return (await repository.diff(true)) || withNewFiles(repository, await repository.diff(false));
}

/** Everything that is not committed, staged or not, new files included, as one diff; '' when nothing is. */
export async function workingTreeDiff(folder: vscode.Uri): Promise<string> {
  const repository = await gitRepository(folder);
  const parts = [await repository.diff(true), await withNewFiles(repository, await repository.diff(false))];
  return parts.filter((part) => part.trim() !== '').join('\n');
}

/** Git leaves files that it does not know out of a diff. Files with secrets stay out here too. */
async function withNewFiles(repository: GitRepository, diff: string): Promise<string> {
  await repository.status();
  const { workingTreeChanges, untrackedChanges } = repository.state;
  const root = `${repository.rootUri.path.replace(/\/$/, '')}/`;
  const fresh = [...workingTreeChanges, ...untrackedChanges].filter(({ uri, status }) => status === untracked && uri.path.startsWith(root));
  const paths = [...new Set(fresh.map(({ uri }) => uri.path.slice(root.length)))].filter((path) => !isSecretPath(path));
  const files = await Promise.all(paths.map((path, index) => readNew(repository.rootUri, path, index < mostNewFiles)));
  return [diff, newFilesDiff(files.filter((file) => file !== undefined))].filter((part) => part.trim() !== '').join('\n');
}

async function readNew(root: vscode.Uri, path: string, whole: boolean): Promise<NewFile | undefined> {
  const uri = vscode.Uri.joinPath(root, path);
  const { type, size } = await vscode.workspace.fs.stat(uri);
  if (type !== vscode.FileType.File) return undefined; // a link may lead anywhere
  return { path, content: !whole || size > largestNewFile ? undefined : await vscode.workspace.fs.readFile(uri) };
}
