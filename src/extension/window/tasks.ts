import * as vscode from 'vscode';
import { failure } from '../../base/errors.js';
import type { EffectOutcome, TaskName } from '../../protocol/window.js';

/** Tasks of the folder and of the whole workspace. Those that run by themselves when a folder is opened are no less the user's to start. */
export async function folderTasks(folder: vscode.WorkspaceFolder): Promise<readonly vscode.Task[]> {
  const all = await vscode.tasks.fetchTasks();
  return all.filter(({ scope }) => scope === vscode.TaskScope.Workspace || (typeof scope === 'object' && scope.uri.toString() === folder.uri.toString()));
}

export const taskName = ({ name, source, group }: vscode.Task): TaskName => ({ name, source, ...(group ? { group: group.id } : {}) });

/** What the task runs, for the user to read; what a program of an extension does cannot be said. */
export function taskDetail({ execution, source, detail }: vscode.Task): string {
  if (execution instanceof vscode.ShellExecution) {
    if (execution.commandLine !== undefined) return execution.commandLine;
    const words = [execution.command, ...execution.args ?? []];
    return words.map((word) => (typeof word === 'string' ? word : word?.value ?? '')).join(' ');
  }
  if (execution instanceof vscode.ProcessExecution) return [execution.process, ...execution.args].join(' ');
  return detail ?? `A task of ${source}`;
}

/** Runs a task in its terminal until it ends; an abort ends it. */
export async function runTask(task: vscode.Task, signal: AbortSignal): Promise<EffectOutcome> {
  signal.throwIfAborted();
  const listeners: vscode.Disposable[] = [];
  try {
    const execution = await vscode.tasks.executeTask(task);
    const stop = (): void => execution.terminate();
    signal.addEventListener('abort', stop, { once: true });
    listeners.push(new vscode.Disposable(() => signal.removeEventListener('abort', stop)));
    const exitCode = await new Promise<number | undefined>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      listeners.push(vscode.tasks.onDidEndTaskProcess((e) => { if (e.execution === execution) resolve(e.exitCode); }));
      // Tasks without a process of their own end too; the process, where there is one, is told about first.
      listeners.push(vscode.tasks.onDidEndTask((e) => { if (e.execution === execution) setTimeout(() => resolve(undefined), 200); }));
    });
    const content = exitCode === undefined ? 'The task ended; it has no exit code.' : `The task ended with exit code ${exitCode}. Its output is in the terminal.`;
    return { outcome: exitCode === undefined || exitCode === 0 ? 'ok' : 'error', content, truncated: false };
  } finally {
    for (const listener of listeners) listener.dispose();
  }
}

export function pickTask(tasks: readonly vscode.Task[], name: string, source: string | undefined): vscode.Task {
  const [task, another] = tasks.filter((one) => one.name === name && (source === undefined || one.source === source));
  if (!task) throw failure('tool.badArguments', `There is no task ${JSON.stringify(name)}.`, 'Use one of list_tasks.');
  if (another) throw failure('tool.badArguments', `Several tasks are called ${JSON.stringify(name)}.`, 'Give the source too.');
  return task;
}
