import * as vscode from 'vscode';
import { failure, LoupeFailure } from '../../base/errors.js';
import type { ModelService } from '../models/modelService.js';
import type { RepositoryMemory } from './repositoryMemory.js';

export interface MemoryCommandDeps {
  readonly memory: RepositoryMemory;
  readonly models: Pick<ModelService, 'acquire'>;
  /** The folder of the shown chat; undefined where none is open. */
  readonly folder: () => vscode.WorkspaceFolder | undefined;
}

/** The user waits for this one: it loads the model where none is loaded. */
export async function rememberRepository({ memory, models }: MemoryCommandDeps): Promise<void> {
  if (memory.state.state === 'cold') {
    const loaded = await models.acquire(new AbortController().signal);
    if (!loaded.ok) throw new LoupeFailure(loaded.error);
  }
  memory.rememberNow();
}

export async function forgetRepository({ memory, folder }: MemoryCommandDeps): Promise<void> {
  const which = folder();
  if (which === undefined) throw failure('workspace.none', 'No folder is open.', 'Open the folder of your repository.');
  const confirm = 'Forget';
  const detail = 'Loupe removes its index of the files, and what models have read of them, from your disk. The files themselves stay. '
    + 'It remembers them again when you tell it to, or when this window is opened again with the memory switched on.';
  if (await vscode.window.showWarningMessage(`Forget what Loupe remembers of ${which.name}?`, { modal: true, detail }, confirm) !== confirm) return;
  await memory.forget();
  vscode.window.setStatusBarMessage(`Loupe: ${which.name} is forgotten`, 3000);
}
