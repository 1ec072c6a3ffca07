import * as vscode from 'vscode';
import type { WorkspacePort } from '../../agent/ports.js';
import { escapeRegex } from '../../agent/workspace/symbols.js';
import { failure } from '../../base/errors.js';
import { isSecretPath } from '../../base/secretPaths.js';
import { notFound, resolveInside } from '../../context/files/paths.js';
import type { FileSymbol, Place, Reference, ReferenceList } from '../../protocol/window.js';
import { visiblePath } from './editorState.js';

/** A language server that indexes for the first time answers late. */
const timeoutMs = 10_000;
/** Files that are opened for the text of their lines. */
const mostFiles = 200;
const mostSymbols = 2_000;

/** What a file defines, from top to bottom; empty where no language server knows it. */
export async function fileSymbols(workspace: WorkspacePort, path: string, signal: AbortSignal): Promise<readonly FileSymbol[]> {
  const document = await openFile(workspace, path);
  const asked = vscode.commands.executeCommand<(vscode.DocumentSymbol | vscode.SymbolInformation)[] | undefined>('vscode.executeDocumentSymbolProvider', document.uri);
  const given = await Promise.race([asked, late(timeoutMs), aborted(signal)]) ?? [];
  signal.throwIfAborted();
  const found: FileSymbol[] = [];
  const add = (symbols: readonly (vscode.DocumentSymbol | vscode.SymbolInformation)[], depth: number): void => {
    for (const symbol of symbols) {
      const range = 'range' in symbol ? symbol.range : symbol.location.range;
      if (found.length < mostSymbols) found.push({ name: symbol.name, kind: vscode.SymbolKind[symbol.kind].toLowerCase(), line: range.start.line + 1, endLine: range.end.line + 1, depth });
      if ('children' in symbol) add(symbol.children, depth + 1);
    }
  };
  add(given, 0);
  return found.sort((a, b) => a.line - b.line || a.depth - b.depth);
}

/** The document of a file of the folder. Throws as reading it does. */
async function openFile(workspace: WorkspacePort, path: string): Promise<vscode.TextDocument> {
  const { absolute, relative, exists } = await resolveInside(workspace.root, path);
  if (!exists || isSecretPath(relative)) throw notFound(path);
  return vscode.workspace.openTextDocument(vscode.Uri.file(absolute));
}

/** What language servers say about the place, or about the definition of the name; where they say nothing, the places where the name stands. */
export async function findReferences(folder: vscode.WorkspaceFolder, workspace: WorkspacePort, of: { readonly name: string; readonly place?: Place | undefined }, limit: number, signal: AbortSignal): Promise<ReferenceList> {
  const place = of.place ?? await definition(workspace, of.name, signal);
  const known = place && await fromLanguageServer(folder, workspace, of.name, place, signal);
  if (known && known.length > 0) return { references: known.slice(0, limit), source: 'languageServer', truncated: known.length > limit };
  const pattern = String.raw`\b${escapeRegex(of.name)}\b`;
  const { matches, truncated } = await workspace.searchText({ pattern, regex: true, caseSensitive: true, limit }, signal);
  return { references: matches, source: 'text', truncated };
}

async function definition(workspace: WorkspacePort, name: string, signal: AbortSignal): Promise<Place | undefined> {
  const found = await workspace.findSymbol(name, 2, signal);
  // Several definitions of one name are several things: a language server would be asked about one of them.
  const [only] = found;
  return found.length === 1 && only ? { path: only.path, line: only.line, column: 1 } : undefined;
}

async function fromLanguageServer(folder: vscode.WorkspaceFolder, workspace: WorkspacePort, name: string, place: Place, signal: AbortSignal): Promise<readonly Reference[]> {
  const document = await openFile(workspace, place.path);
  if (place.line > document.lineCount) throw failure('tool.badArguments', `${place.path} has ${document.lineCount} lines.`, 'Give a line that it has.');
  const line = document.lineAt(place.line - 1).text;
  // Columns are counted in many ways; the name on the line is what is meant.
  const named = line.startsWith(name, place.column - 1) ? place.column - 1 : line.indexOf(name);
  const asked = vscode.commands.executeCommand<vscode.Location[] | undefined>('vscode.executeReferenceProvider', document.uri, new vscode.Position(place.line - 1, Math.max(0, named)));
  const locations = await Promise.race([asked, late(timeoutMs), aborted(signal)]) ?? [];
  signal.throwIfAborted();
  const lines = new Map<string, Promise<vscode.TextDocument>>();
  const found = locations.flatMap(({ uri, range }) => {
    const path = visiblePath(folder, uri);
    if (path === undefined) return [];
    if (!lines.has(path) && lines.size < mostFiles) lines.set(path, Promise.resolve(vscode.workspace.openTextDocument(uri)));
    return [{ path, line: range.start.line + 1, opened: lines.get(path) }];
  });
  return Promise.all(found.map(async ({ path, line: at, opened }) => ({ path, line: at, text: (await opened)?.lineAt(at - 1).text.slice(0, 300) ?? '' })));
}

const late = (milliseconds: number): Promise<undefined> => new Promise((resolve) => {
  setTimeout(() => resolve(undefined), milliseconds).unref();
});

const aborted = (signal: AbortSignal): Promise<undefined> => new Promise((resolve) => {
  if (signal.aborted) resolve(undefined);
  else signal.addEventListener('abort', () => resolve(undefined), { once: true });
});
