import * as vscode from 'vscode';
import { isSecretPath } from '../../base/secretPaths.js';
import type { OpenEditor } from '../../protocol/window.js';
import { relativePath } from '../host/folder.js';

const longestSelection = 16_000;

/** Path of a document in the folder; undefined for what lies elsewhere or holds credentials. */
export function visiblePath(folder: vscode.WorkspaceFolder, uri: vscode.Uri): string | undefined {
  const path = relativePath(folder, uri);
  return path === undefined || isSecretPath(path) ? undefined : path;
}

/** Files that have a tab, the active one first, then those that can be seen. */
export function openEditors(folder: vscode.WorkspaceFolder): readonly OpenEditor[] {
  const active = vscode.window.activeTextEditor;
  const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs).map(({ input }) => (input instanceof vscode.TabInputText ? input.uri : undefined));
  const uris = [active?.document.uri, ...vscode.window.visibleTextEditors.map((e) => e.document.uri), ...tabs];
  const found = new Map<string, OpenEditor>();
  for (const uri of uris) {
    const path = uri && visiblePath(folder, uri);
    if (path === undefined || found.has(path)) continue;
    const same = (e: vscode.TextEditor | undefined): boolean => e?.document.uri.toString() === uri?.toString();
    const editor = same(active) ? active : vscode.window.visibleTextEditors.find(same);
    const document = editor?.document ?? vscode.workspace.textDocuments.find((d) => d.uri.toString() === uri?.toString());
    found.set(path, {
      path, active: same(active), visible: editor !== undefined, unsaved: document?.isDirty ?? false,
      ...(editor ? { selection: selectionOf(editor) } : {}),
    });
  }
  return [...found.values()];
}

function selectionOf({ document, selection }: vscode.TextEditor): NonNullable<OpenEditor['selection']> {
  const at = ({ line, character }: vscode.Position): { line: number; column: number } => ({ line: line + 1, column: character + 1 });
  return { start: at(selection.start), end: at(selection.end), text: document.getText(selection).slice(0, longestSelection) };
}
