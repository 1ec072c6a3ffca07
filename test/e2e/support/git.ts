import { execFileSync } from 'node:child_process';
import * as vscode from 'vscode';
import { until, workspaceRoot } from './chatPage.js';

interface Repository { readonly rootUri: vscode.Uri; readonly inputBox: { value: string }; status(): Promise<void> }
interface Api { readonly repositories: readonly Repository[] }

export const git = (...args: readonly string[]): string => execFileSync('git', args, { cwd: workspaceRoot(), encoding: 'utf8' });

/** The repository as the built-in extension has it, once it has found it. */
export async function repository(): Promise<Repository> {
  const extension = vscode.extensions.getExtension<{ getAPI(version: 1): Api }>('vscode.git');
  if (!extension) throw new Error('there is no git extension');
  const api = (extension.isActive ? extension.exports : await extension.activate()).getAPI(1);
  await until(() => api.repositories.length > 0, 'git has found the repository', 30_000);
  const [first] = api.repositories;
  if (!first) throw new Error('there is no repository');
  return first;
}
