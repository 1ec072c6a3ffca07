import * as vscode from 'vscode';
import { failure } from '../../base/errors.js';

/** The part of the built-in git extension's API (version 1) that is used here. */
interface GitRepository {
  readonly rootUri: vscode.Uri;
  readonly inputBox: { value: string };
  diff(cached?: boolean): Promise<string>;
}
interface GitApi {
  readonly repositories: readonly GitRepository[];
  getRepository(uri: vscode.Uri): GitRepository | null;
}
interface GitExtension { getAPI(version: 1): GitApi }

export async function gitRepository(folder: vscode.Uri): Promise<GitRepository> {
  const extension = vscode.extensions.getExtension<GitExtension>('vscode.git');
  if (!extension) throw failure('tool.failed', 'The Git extension is not there.', 'Enable the built-in Git extension and try again.');
  const api = (extension.isActive ? extension.exports : await extension.activate()).getAPI(1);
  const repository = api.getRepository(folder) ?? api.repositories[0];
  if (!repository) throw failure('tool.failed', 'This folder is not a Git repository that VS Code has opened.', 'Open a folder with a Git repository.');
  return repository;
}

/** What would be committed, else what has changed, as a diff; '' when nothing has. */
export async function stagedOrWorkingDiff(folder: vscode.Uri): Promise<string> {
  const repository = await gitRepository(folder);
  return (await repository.diff(true)) || repository.diff(false);
}

/** Everything that is not committed, staged or not, as one diff; '' when nothing is. */
export async function workingTreeDiff(folder: vscode.Uri): Promise<string> {
  const repository = await gitRepository(folder);
  const parts = [await repository.diff(true), await repository.diff(false)];
  return parts.filter((part) => part.trim() !== '').join('\n');
}
