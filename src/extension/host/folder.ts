import * as vscode from 'vscode';

/** The folder that a question is about: that of the active editor when it belongs to one, else the first. Files on disk only. */
export function workspaceFolder(): vscode.WorkspaceFolder | undefined {
  const active = vscode.window.activeTextEditor?.document.uri;
  const own = active && vscode.workspace.getWorkspaceFolder(active);
  const folder = own ?? vscode.workspace.workspaceFolders?.[0];
  return folder?.uri.scheme === 'file' ? folder : undefined;
}

/** Path of a document inside the folder with forward slashes; undefined when it lies elsewhere. */
export function relativePath(folder: vscode.WorkspaceFolder, uri: vscode.Uri): string | undefined {
  if (uri.scheme !== 'file' || vscode.workspace.getWorkspaceFolder(uri)?.uri.toString() !== folder.uri.toString()) return undefined;
  return vscode.workspace.asRelativePath(uri, false).replaceAll('\\', '/');
}
