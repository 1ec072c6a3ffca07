import type { Diagnostic, SymbolMatch, WorkspacePort } from '../../agent/ports.js';
import type { Logger } from '../../base/logger.js';
import { escapeRegex } from '../../agent/workspace/symbols.js';
import type { ReferenceList, WorkspaceChanges } from '../../protocol/window.js';
import { FolderWatch } from './folderWatch.js';
import type { ServedWorkspace } from './port.js';

/** A folder without a window: what is on disk, to be read only. */
export class FolderWorkspace implements ServedWorkspace {
  private readonly watch: FolderWatch;

  constructor(private readonly files: WorkspacePort, logger: Logger) {
    this.watch = new FolderWatch(files, logger);
  }

  get root(): string {
    return this.files.root;
  }

  listFiles(options: Parameters<WorkspacePort['listFiles']>[0], signal: AbortSignal): ReturnType<WorkspacePort['listFiles']> {
    return this.files.listFiles(options, signal);
  }

  readFile(path: string, signal: AbortSignal): Promise<string> {
    return this.files.readFile(path, signal);
  }

  async read(path: string, signal: AbortSignal): Promise<{ readonly text: string; readonly unsaved: boolean }> {
    return { text: await this.files.readFile(path, signal), unsaved: false };
  }

  searchText(options: Parameters<WorkspacePort['searchText']>[0], signal: AbortSignal): ReturnType<WorkspacePort['searchText']> {
    return this.files.searchText(options, signal);
  }

  findSymbol(name: string, limit: number, signal: AbortSignal): Promise<readonly SymbolMatch[]> {
    return this.files.findSymbol(name, limit, signal);
  }

  async references({ name }: { readonly name: string }, limit: number, signal: AbortSignal): Promise<ReferenceList> {
    const { matches, truncated } = await this.files.searchText({ pattern: String.raw`\b${escapeRegex(name)}\b`, regex: true, caseSensitive: true, limit }, signal);
    return { references: matches, source: 'text', truncated };
  }

  diagnostics(): Promise<readonly Diagnostic[] | undefined> {
    return Promise.resolve(undefined);
  }

  changes(after: string | undefined, signal: AbortSignal): Promise<WorkspaceChanges> {
    return this.watch.since(after, signal);
  }

  dispose(): void {
    this.watch.dispose();
  }
}
