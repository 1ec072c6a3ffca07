import * as vscode from 'vscode';
import type { WorkspacePort } from '../../agent/ports.js';
import { notFound, resolveInside } from '../../context/files/paths.js';
import { failure, LoupeFailure } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import type { FileEdit } from '../../protocol/agentEvents.js';
import type { Attachment } from '../../protocol/conversation.js';
import { folderAt, relativePath } from '../host/folder.js';
import { showError } from '../host/notices.js';
import { placeCode } from './placeCode.js';

export interface EditorActionsDeps {
  /** URI of the folder that the shown chat works in; undefined when no folder is open. */
  readonly folder: () => string | undefined;
  readonly workspace: (folder: string | undefined) => { readonly workspace: WorkspacePort; readonly folder: vscode.WorkspaceFolder };
  /** Previews an edit, waits for the user and writes it. */
  readonly proposeEdit: (edit: Pick<FileEdit, 'path' | 'kind' | 'before' | 'after'>, folder: string | undefined) => Promise<void>;
  readonly openDiff: (approvalId: string) => Promise<void>;
  readonly logger: Logger;
}

const mostFiles = 50;

/** What buttons and links of the chat do in the editor. What they name comes from a model: it is checked, never trusted. */
export class EditorActions {
  constructor(private readonly deps: EditorActionsDeps) {}

  openDiff(approvalId: string): Promise<void> {
    return this.deps.openDiff(approvalId);
  }

  /** Opens a file of the folder, by default that of the shown chat, and nothing outside of it, at a 1-based line. */
  async openLocation(path: string, line?: number, folder = this.deps.folder()): Promise<void> {
    await this.reporting(async () => {
      const { workspace } = this.deps.workspace(folder);
      const place = await findPlace(workspace, path);
      if (place === undefined) return;
      const { absolute } = await resolveInside(workspace.root, place);
      const document = await vscode.workspace.openTextDocument(vscode.Uri.file(absolute));
      const at = line === undefined ? undefined : new vscode.Position(Math.min(line, document.lineCount) - 1, 0);
      await vscode.window.showTextDocument(document, { ...(at ? { selection: new vscode.Range(at, at) } : {}), viewColumn: editorColumn() });
    });
  }

  /** Puts code at the cursor of the last active editor, indented and undoable. */
  async insertCode(code: string): Promise<void> {
    const editor = activeEditor();
    if (!editor) return void vscode.window.showInformationMessage('Open the file that the code should go into.');
    await vscode.window.showTextDocument(editor.document, { viewColumn: editor.viewColumn ?? vscode.ViewColumn.One, preserveFocus: false });
    await editor.edit((edit) => {
      for (const selection of editor.selections) edit.replace(selection, code);
    });
  }

  /** Offers code as an edit of the named file, else of the active one, with the same preview and approval as an agent's edit. */
  async applyCode(code: string, path?: string): Promise<void> {
    await this.reporting(async () => {
      const uri = this.deps.folder();
      const { workspace, folder } = this.deps.workspace(uri);
      const editor = activeEditor();
      const active = editor && relativePath(folder, editor.document.uri);
      const target = path ?? active;
      if (target === undefined) throw failure('path.notFound', 'There is no file to apply the code to.', 'Open the file that the code belongs to and try again.');
      if (!(await resolveInside(workspace.root, target)).exists) {
        return this.deps.proposeEdit({ path: target, kind: 'create', before: '', after: code.endsWith('\n') ? code : `${code}\n` }, uri);
      }
      const before = await workspace.readFile(target, new AbortController().signal);
      const selection = editor && active === target ? lineRange(editor.selection) : { start: 0, end: 0 };
      return this.deps.proposeEdit({ path: target, kind: 'replace', before, after: placeCode(before, code, selection) }, uri);
    });
  }

  async copy(text: string): Promise<void> {
    await vscode.env.clipboard.writeText(text);
  }

  /** VS Code asks the user before it opens an address outside of its trusted domains. */
  async openExternal(url: string): Promise<void> {
    const uri = parseUrl(url);
    if (uri) await vscode.env.openExternal(uri);
    else this.deps.logger.log('warn', 'A link that is not http or https was not opened', { url: url.slice(0, 200) });
  }

  /** Paths whose letters contain the query's in order, files only, best first. */
  async searchFiles(query: string): Promise<readonly string[]> {
    const folder = folderAt(this.deps.folder());
    if (!folder) return [];
    const escaped = query.replace(/[[\]{}?*\\!,]/g, '');
    const pattern = new vscode.RelativePattern(folder, escaped === '' ? '**/*' : `**/*${caseless(escaped)}*`);
    const found = await vscode.workspace.findFiles(pattern, undefined, mostFiles);
    const open = vscode.workspace.textDocuments.map((d) => relativePath(folder, d.uri)).filter((p) => p !== undefined);
    const paths = found.map((uri) => relativePath(folder, uri)).filter((p) => p !== undefined);
    return [...new Set([...open.filter((p) => p.toLowerCase().includes(escaped.toLowerCase())), ...paths.sort((a, b) => a.length - b.length)])].slice(0, mostFiles);
  }

  /** What is selected in the editor, and in which folder; null without a selection in a file of a folder. */
  currentSelection(): { readonly selection: Attachment; readonly folder: vscode.WorkspaceFolder } | null {
    const editor = activeEditor();
    const folder = editor && vscode.workspace.getWorkspaceFolder(editor.document.uri);
    const path = folder && relativePath(folder, editor.document.uri);
    if (!editor || !folder || path === undefined || editor.selection.isEmpty) return null;
    const { start, end } = lineRange(editor.selection);
    return { selection: { kind: 'selection', path, startLine: start + 1, endLine: end }, folder };
  }

  private async reporting(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (thrown) {
      if (!(thrown instanceof LoupeFailure)) throw thrown;
      await showError(thrown.error, this.deps.logger);
    }
  }
}

/** The file that a path means: models write the end of a path only, or the bare name. Undefined when the user picks none of several. */
async function findPlace(workspace: WorkspacePort, path: string): Promise<string | undefined> {
  if ((await resolveInside(workspace.root, path)).exists) return path;
  const glob = `**/${path.replace(/[\\[\]{}()!*?+@]/g, '\\$&')}`;
  const { paths } = await workspace.listFiles({ glob, limit: mostFiles }, new AbortController().signal);
  if (paths.length === 0) throw notFound(path);
  return paths.length === 1 ? paths[0] : vscode.window.showQuickPick([...paths], { title: `Several files are called ${path}` });
}

/** The chat view takes the focus, so the editor that was used last is meant. */
const activeEditor = (): vscode.TextEditor | undefined =>
  vscode.window.activeTextEditor ?? vscode.window.visibleTextEditors.find((e) => e.document.uri.scheme === 'file');

const editorColumn = (): vscode.ViewColumn => activeEditor()?.viewColumn ?? vscode.ViewColumn.Active;

/** 0-based, end exclusive; a selection that ends at the start of a line does not take that line. An empty one is empty. */
function lineRange(selection: vscode.Selection): { readonly start: number; readonly end: number } {
  const { start, end } = selection;
  if (selection.isEmpty) return { start: start.line, end: start.line };
  return { start: start.line, end: end.character === 0 && end.line > start.line ? end.line : end.line + 1 };
}

function parseUrl(url: string): vscode.Uri | undefined {
  if (!URL.canParse(url)) return undefined;
  return ['http:', 'https:'].includes(new URL(url).protocol) ? vscode.Uri.parse(url, true) : undefined;
}

/** A glob that matches ASCII letters in either case. */
const caseless = (text: string): string => text.replace(/[A-Za-z]/g, (c) => `[${c.toLowerCase()}${c.toUpperCase()}]`);
