import type { Diagnostic, SymbolMatch, WorkspacePort } from '../../agent/ports.js';
import { normalisePath } from '../../context/files/paths.js';
import type { RelatedFiles } from '../../protocol/context.js';
import { windowRequests, type EffectOutcome, type FileSymbol, type OpenEditor, type Place, type ReferenceList, type WorkspaceChanges } from '../../protocol/window.js';
import type { Caller, ServedWorkspace, WindowActions } from './port.js';
import type { WindowClient } from './windowClient.js';

/** The workspace of a window: every question is answered there, from what the user sees. */
export class WindowWorkspace implements ServedWorkspace {
  readonly window: WindowActions;

  constructor(private readonly client: WindowClient) {
    this.window = new RemoteActions(client);
  }

  get root(): string {
    return this.client.folder;
  }

  listFiles(options: Parameters<WorkspacePort['listFiles']>[0], signal: AbortSignal): ReturnType<WorkspacePort['listFiles']> {
    return this.client.request(windowRequests.listFiles, options, signal);
  }

  async readFile(path: string, signal: AbortSignal): Promise<string> {
    return (await this.read(path, signal)).text;
  }

  /** The path is checked here as well as in the window: what is refused need not travel. */
  async read(path: string, signal: AbortSignal): Promise<{ readonly text: string; readonly unsaved: boolean }> {
    return this.client.request(windowRequests.readFile, { path: normalisePath(path, this.root) }, signal);
  }

  searchText(options: Parameters<WorkspacePort['searchText']>[0], signal: AbortSignal): ReturnType<WorkspacePort['searchText']> {
    return this.client.request(windowRequests.searchText, options, signal);
  }

  findSymbol(name: string, limit: number, signal: AbortSignal): Promise<readonly SymbolMatch[]> {
    return this.client.request(windowRequests.findSymbol, { name, limit }, signal);
  }

  references({ name, place }: { readonly name: string; readonly place?: Place }, limit: number, signal: AbortSignal): Promise<ReferenceList> {
    const at = place === undefined ? {} : { place: { ...place, path: normalisePath(place.path, this.root) } };
    return this.client.request(windowRequests.references, { name, ...at, limit }, signal);
  }

  diagnostics(path: string | undefined, signal: AbortSignal): Promise<readonly Diagnostic[]> {
    return this.client.request(windowRequests.diagnostics, path === undefined ? {} : { path: normalisePath(path, this.root) }, signal);
  }

  changes(after: string | undefined, signal: AbortSignal): Promise<WorkspaceChanges> {
    return this.client.request(windowRequests.changes, after === undefined ? {} : { after }, signal);
  }
}

class RemoteActions implements WindowActions {
  constructor(private readonly client: WindowClient) {}

  fileSymbols(path: string, signal: AbortSignal): Promise<readonly FileSymbol[]> {
    return this.client.request(windowRequests.fileSymbols, { path: normalisePath(path, this.client.folder) }, signal);
  }

  openEditors(signal: AbortSignal): Promise<readonly OpenEditor[]> {
    return this.client.request(windowRequests.openEditors, {}, signal);
  }

  related(about: readonly string[], limit: number, signal: AbortSignal): Promise<RelatedFiles> {
    return this.client.request(windowRequests.related, { about: [...about], limit }, signal);
  }

  proposeEdit(edit: { readonly path: string; readonly old?: string; readonly new: string }, { client, call }: Caller, signal: AbortSignal): Promise<EffectOutcome> {
    return this.client.request(windowRequests.proposeEdit, { ...edit, path: normalisePath(edit.path, this.client.folder), client: client.slice(0, 200), call }, signal);
  }

  runCommand(command: string, { client, call }: Caller, signal: AbortSignal): Promise<EffectOutcome> {
    return this.client.request(windowRequests.runCommand, { command, client: client.slice(0, 200), call }, signal);
  }

  tasks(signal: AbortSignal): ReturnType<WindowActions['tasks']> {
    return this.client.request(windowRequests.tasks, {}, signal);
  }

  runTask(name: string, source: string | undefined, { client, call }: Caller, signal: AbortSignal): Promise<EffectOutcome> {
    return this.client.request(windowRequests.runTask, { name, ...(source === undefined ? {} : { source }), client: client.slice(0, 200), call }, signal);
  }
}
