import * as vscode from 'vscode';
import { ChangeLog } from '../../agent/window/changeLog.js';
import { DisposableStore } from '../../base/disposable.js';
import type { WorkspaceChanges } from '../../protocol/window.js';

/** Nobody has asked for so long: nothing is listened to any more. Milliseconds. */
const idleMs = 60_000;

/** What changes in a folder of the window: text that is typed, files on disk, errors and warnings. Listens only while somebody asks. */
export class FolderChanges {
  private log = new ChangeLog();
  private listening: DisposableStore | undefined;
  private asking = 0;
  private idle: NodeJS.Timeout | undefined;

  constructor(private readonly folder: vscode.WorkspaceFolder) {}

  async since(after: string | undefined, signal: AbortSignal): Promise<WorkspaceChanges> {
    clearTimeout(this.idle);
    this.listening ??= this.listen();
    this.asking += 1;
    try {
      return await this.log.since(after, signal);
    } finally {
      this.asking -= 1;
      if (this.asking === 0) this.idle = setTimeout(() => this.end(), idleMs).unref();
    }
  }

  private end(): void {
    this.listening?.dispose();
    this.listening = undefined;
    this.log = new ChangeLog(); // who comes back is told that everything may have changed
  }

  private listen(): DisposableStore {
    const store = new DisposableStore();
    const file = (uri: vscode.Uri): void => this.tell(uri, (path) => this.log.file(path));
    const comesOrGoes = (uri: vscode.Uri): void => this.tell(uri, (path) => {
      this.log.file(path);
      this.log.list();
    });
    const watcher = store.add(vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(this.folder, '**')));
    store.add(watcher.onDidChange(file));
    store.add(watcher.onDidCreate(comesOrGoes));
    store.add(watcher.onDidDelete(comesOrGoes));
    store.add(vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
      if (contentChanges.length > 0) file(document.uri);
    }));
    store.add(vscode.workspace.onDidCloseTextDocument(({ uri }) => file(uri))); // unsaved text may have been dropped
    store.add(vscode.languages.onDidChangeDiagnostics(({ uris }) => uris.forEach((uri) => this.tell(uri, (path) => this.log.diagnostics(path)))));
    return store;
  }

  private tell(uri: vscode.Uri, add: (path: string) => void): void {
    if (uri.scheme !== 'file' || vscode.workspace.getWorkspaceFolder(uri)?.uri.toString() !== this.folder.uri.toString()) return;
    const path = vscode.workspace.asRelativePath(uri, false).replaceAll('\\', '/');
    if (!/(^|\/)\.git(\/|$)/.test(path)) add(path);
  }
}
