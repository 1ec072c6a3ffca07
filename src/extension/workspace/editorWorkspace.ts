import * as vscode from 'vscode';
import type { Diagnostic, SymbolMatch, TextMatch, WorkspacePort } from '../../agent/ports.js';
import { globFilter } from '../../agent/workspace/nodeWorkspace.js';
import { resolveInside } from '../../context/files/paths.js';
import { isSecretPath } from '../../base/secretPaths.js';
import { searchBuffer } from './searchBuffer.js';

/** A language server that indexes for the first time answers late; the text search answers meanwhile. */
const symbolTimeoutMs = 2_000;
const mostDiagnostics = 200;

type SearchOptions = Parameters<WorkspacePort['searchText']>[0];

/**
 * The workspace as the user sees it: files on disk, with unsaved text of open editors, the problems that are reported and
 * the symbols that language servers know. Paths are checked by `files`, also for unsaved text.
 */
export class EditorWorkspace implements WorkspacePort {
  constructor(private readonly folder: vscode.WorkspaceFolder, private readonly files: WorkspacePort) {}

  get root(): string {
    return this.files.root;
  }

  listFiles(options: Parameters<WorkspacePort['listFiles']>[0], signal: AbortSignal): ReturnType<WorkspacePort['listFiles']> {
    return this.files.listFiles(options, signal);
  }

  async readFile(path: string, signal: AbortSignal): Promise<string> {
    const { absolute, relative } = await resolveInside(this.root, path);
    const open = isSecretPath(relative) ? undefined : unsavedAt(absolute);
    return open?.getText() ?? this.files.readFile(path, signal);
  }

  /** Unsaved files are searched as they are in the editor; a regular expression sees them as they are on disk. */
  async searchText(options: SearchOptions, signal: AbortSignal): Promise<{ readonly matches: readonly TextMatch[]; readonly truncated: boolean }> {
    const onDisk = await this.files.searchText(options, signal);
    if (options.regex) return onDisk;
    const wanted = globFilter(options.glob);
    const unsaved = vscode.workspace.textDocuments.filter((d) => {
      const path = d.isDirty ? this.pathOf(d.uri) : undefined;
      return path !== undefined && wanted(path);
    });
    if (unsaved.length === 0) return onDisk;
    const paths = new Set(unsaved.map((d) => this.pathOf(d.uri)));
    const inEditors = unsaved.flatMap((d) => searchBuffer(this.pathOf(d.uri) ?? '', d.getText(), options));
    const matches = [...inEditors, ...onDisk.matches.filter((m) => !paths.has(m.path))];
    return { matches: matches.slice(0, options.limit), truncated: onDisk.truncated || matches.length > options.limit };
  }

  async findSymbol(name: string, limit: number, signal: AbortSignal): Promise<readonly SymbolMatch[]> {
    const [known, byText] = await Promise.all([this.knownSymbols(name, limit), this.files.findSymbol(name, limit, signal)]);
    const places = new Set(known.map((s) => `${s.path}:${s.line}`));
    return [...known, ...byText.filter((s) => !places.has(`${s.path}:${s.line}`))].slice(0, limit);
  }

  async diagnostics(path: string | undefined): Promise<readonly Diagnostic[]> {
    const wanted = path === undefined ? undefined : (await resolveInside(this.root, path)).relative;
    const found: Diagnostic[] = [];
    for (const [uri, diagnostics] of vscode.languages.getDiagnostics()) {
      const at = this.pathOf(uri);
      if (at === undefined || (wanted !== undefined && at !== wanted)) continue;
      for (const d of diagnostics) {
        const severity = severityNames[d.severity];
        if (severity) found.push({ path: at, line: d.range.start.line + 1, severity, message: d.message, ...(d.source === undefined ? {} : { source: d.source }) });
      }
    }
    const order = { error: 0, warning: 1, info: 2 };
    return found.sort((a, b) => order[a.severity] - order[b.severity]).slice(0, mostDiagnostics);
  }

  private async knownSymbols(name: string, limit: number): Promise<SymbolMatch[]> {
    const asked = vscode.commands.executeCommand<vscode.SymbolInformation[] | undefined>('vscode.executeWorkspaceSymbolProvider', name);
    const symbols = (await orAfter(asked, symbolTimeoutMs)) ?? [];
    const exact = symbols.filter((s) => plainName(s.name) === name && this.pathOf(s.location.uri) !== undefined).slice(0, limit);
    return Promise.all(exact.map(async (s) => {
      const document = await vscode.workspace.openTextDocument(s.location.uri);
      const line = Math.min(s.location.range.start.line, document.lineCount - 1);
      const kind = vscode.SymbolKind[s.kind].toLowerCase();
      return { path: this.pathOf(s.location.uri) ?? '', line: line + 1, kind, name, text: document.lineAt(line).text.trim() };
    }));
  }

  /** Relative to the folder; undefined for what the agent may not see. */
  private pathOf(uri: vscode.Uri): string | undefined {
    if (uri.scheme !== 'file' || vscode.workspace.getWorkspaceFolder(uri)?.uri.toString() !== this.folder.uri.toString()) return undefined;
    const path = vscode.workspace.asRelativePath(uri, false).replaceAll('\\', '/');
    return isSecretPath(path) ? undefined : path;
  }
}

/** The open document of a file with changes that are not on disk yet. */
export function unsavedAt(absolute: string): vscode.TextDocument | undefined {
  return vscode.workspace.textDocuments.find((d) => d.isDirty && d.uri.scheme === 'file' && d.uri.fsPath === absolute);
}

const severityNames: Partial<Record<vscode.DiagnosticSeverity, Diagnostic['severity']>> = {
  [vscode.DiagnosticSeverity.Error]: 'error',
  [vscode.DiagnosticSeverity.Warning]: 'warning',
  [vscode.DiagnosticSeverity.Information]: 'info',
};

/** Some servers write `name()` for functions. */
const plainName = (name: string): string => name.replace(/\(.*\)$/, '');

/** Undefined when it takes too long. */
async function orAfter<T>(work: Thenable<T>, milliseconds: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => {
      resolve(undefined);
    }, milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
