import * as vscode from 'vscode';
import { relativePath } from '../host/folder.js';
import type { Attachment } from '../../protocol/conversation.js';
import { type CodeCommand, type CodePlace, codeQuestion } from '../../agent/codeQuestions.js';

export interface CodeQuestion { readonly question: string; readonly attachments: readonly Attachment[] }

/** Lines around the cursor that are taken when no function is known there. */
const linesAround = 20;

/** The question of an editor command about the selection, else about the function at the cursor. Undefined without an editor in the folder. */
export async function codeQuestionAtCursor(command: CodeCommand, folder: vscode.WorkspaceFolder): Promise<CodeQuestion | undefined> {
  const editor = vscode.window.activeTextEditor;
  const path = editor && relativePath(folder, editor.document.uri);
  if (!editor || path === undefined) return undefined;
  const place = await placeAt(editor, path);
  const attachments: Attachment[] = [{ kind: 'selection', path, startLine: place.startLine, endLine: place.endLine }];
  if (command === 'loupe.fix') attachments.push({ kind: 'problems', path });
  return { question: codeQuestion(command, place), attachments };
}

async function placeAt(editor: vscode.TextEditor, path: string): Promise<CodePlace> {
  const { document, selection } = editor;
  if (!selection.isEmpty) {
    const last = selection.end.character === 0 && selection.end.line > selection.start.line ? selection.end.line : selection.end.line + 1;
    return { path, startLine: selection.start.line + 1, endLine: last };
  }
  const symbol = await functionAt(document, selection.active);
  if (symbol) return { path, name: symbol.name, startLine: symbol.range.start.line + 1, endLine: symbol.range.end.line + 1 };
  return {
    path,
    startLine: Math.max(0, selection.active.line - linesAround) + 1,
    endLine: Math.min(document.lineCount, selection.active.line + linesAround + 1),
  };
}

const wanted = new Set([
  vscode.SymbolKind.Function, vscode.SymbolKind.Method, vscode.SymbolKind.Constructor, vscode.SymbolKind.Class,
  vscode.SymbolKind.Interface, vscode.SymbolKind.Enum, vscode.SymbolKind.Struct,
]);

async function functionAt(document: vscode.TextDocument, position: vscode.Position): Promise<vscode.DocumentSymbol | undefined> {
  // Older providers give flat symbols without ranges of their own: there is nothing to find in those.
  const given = await vscode.commands.executeCommand<(vscode.DocumentSymbol | vscode.SymbolInformation)[] | undefined>('vscode.executeDocumentSymbolProvider', document.uri);
  const symbols = (given ?? []).filter((symbol): symbol is vscode.DocumentSymbol => 'children' in symbol);
  let found: vscode.DocumentSymbol | undefined;
  const visit = (list: readonly vscode.DocumentSymbol[]): void => {
    for (const symbol of list) {
      if (!symbol.range.contains(position)) continue;
      if (wanted.has(symbol.kind)) found = symbol;
      visit(symbol.children);
    }
  };
  visit(symbols);
  return found;
}
