import * as vscode from 'vscode';
import { type Disposable, DisposableStore } from '../../base/disposable.js';
import { Emitter } from '../../base/event.js';
import type { WindowFolders } from '../workspace/folderChoice.js';

/** The open folders that lie on disk. */
const onDisk = (): readonly vscode.WorkspaceFolder[] => (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file');

export const folderAt = (uri: string | undefined): vscode.WorkspaceFolder | undefined => onDisk().find((folder) => folder.uri.toString() === uri);

/** The folder of the file in the active editor. */
export function activeFolder(): vscode.WorkspaceFolder | undefined {
  const active = vscode.window.activeTextEditor?.document.uri;
  return active?.scheme === 'file' ? vscode.workspace.getWorkspaceFolder(active) : undefined;
}

export class EditorFolders implements WindowFolders, Disposable {
  private readonly disposables = new DisposableStore();
  private readonly changed = this.disposables.add(new Emitter<void>());
  readonly onDidChange = this.changed.event;

  constructor() {
    const tell = (): void => this.changed.fire();
    this.disposables.add(vscode.window.onDidChangeActiveTextEditor(tell));
    this.disposables.add(vscode.workspace.onDidChangeWorkspaceFolders(tell));
  }

  open(): ReturnType<WindowFolders['open']> {
    return onDisk().map(({ uri, name }) => ({ uri: uri.toString(), name }));
  }

  active(): string | undefined {
    return activeFolder()?.uri.toString();
  }

  dispose(): void {
    this.disposables.dispose();
  }
}

/** Path of a document inside the folder with forward slashes; undefined when it lies elsewhere. */
export function relativePath(folder: vscode.WorkspaceFolder, uri: vscode.Uri): string | undefined {
  if (uri.scheme !== 'file' || vscode.workspace.getWorkspaceFolder(uri)?.uri.toString() !== folder.uri.toString()) return undefined;
  return vscode.workspace.asRelativePath(uri, false).replaceAll('\\', '/');
}
