import { type FSWatcher, watch } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { WorkspacePort } from '../../agent/ports.js';
import { ChangeLog } from '../../agent/window/changeLog.js';
import type { Disposable } from '../../base/disposable.js';
import { messageOf } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import type { WorkspaceChanges } from '../../protocol/window.js';

const settleMs = 100;
const mostFolders = 8_000;
const mostFiles = 100_000;
const mostTouched = 10_000;
/** Of a folder that is new: so many of the empty folders in it are watched. Those with files come with the list. */
const mostNewFolders = 64;
/** What changes in bulk and is hardly ever looked at. */
const notWatched = /^(\.git|node_modules)$/;
/** Windows and macOS watch a whole tree at once; Linux watches each folder. */
const recursive = process.platform === 'win32' || process.platform === 'darwin';

/** Watches a folder on disk, from the first question on: the folders of what is not ignored, and what comes to be in them. */
export class FolderWatch implements Disposable {
  private readonly log = new ChangeLog();
  private readonly watchers = new Map<string, FSWatcher>();
  private readonly stopped = new AbortController();
  private readonly touched = new Set<string>();
  private started: Promise<void> | undefined;
  private listed: ReadonlySet<string> = new Set();
  private comeOrGone = false;
  private timer: NodeJS.Timeout | undefined;
  private settling: Promise<void> = Promise.resolve();

  constructor(private readonly files: WorkspacePort, private readonly logger: Logger) {}

  async since(after: string | undefined, signal: AbortSignal): Promise<WorkspaceChanges> {
    await (this.started ??= this.list().catch((error: unknown) => {
      this.started = undefined;
      throw error;
    }));
    return this.log.since(after, signal);
  }

  dispose(): void {
    this.stopped.abort();
    clearTimeout(this.timer);
    for (const watcher of this.watchers.values()) watcher.close();
    this.watchers.clear();
  }

  /** The paths as they are now, with every folder of one watched. A folder is watched before it is listed: what comes in between is an event. */
  private async list(): Promise<void> {
    this.watchFolder('');
    for (;;) {
      const { paths } = await this.files.listFiles({ limit: mostFiles }, this.stopped.signal);
      this.listed = new Set(paths);
      const fresh = recursive ? [] : [...new Set(paths.flatMap(foldersOf))].filter((folder) => !this.watchers.has(folder));
      for (const folder of fresh) this.watchFolder(folder);
      if (fresh.every((folder) => !this.watchers.has(folder))) return; // none are new, or no more can be watched
    }
  }

  private watchFolder(folder: string): void {
    if (this.stopped.signal.aborted || this.watchers.has(folder) || this.watchers.size >= mostFolders) return;
    try {
      const watcher = watch(join(this.files.root, folder), { persistent: false, recursive }, (event, name) => this.onEvent(folder, event, name));
      watcher.on('error', (error) => this.unwatch(folder, error));
      this.watchers.set(folder, watcher);
    } catch (error) {
      this.unwatch(folder, error); // gone already, or more than the system allows
    }
  }

  private unwatch(folder: string, error: unknown): void {
    this.watchers.get(folder)?.close();
    this.watchers.delete(folder);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.logger.log('warn', 'A folder is not watched', { folder, error: messageOf(error) });
  }

  private onEvent(folder: string, event: string, name: string | null): void {
    const path = [folder, ...(name ?? '').replaceAll('\\', '/').split('/')].filter((part) => part !== '').join('/');
    if (path.split('/').some((part) => notWatched.test(part))) return;
    this.touched.add(path);
    this.comeOrGone ||= event === 'rename' || name === null;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.settling = this.settling.then(() => this.settle()).catch((error: unknown) => {
        if (!this.stopped.signal.aborted) this.logger.log('warn', 'What changed in the folder could not be found out', { error: messageOf(error) });
      });
    }, settleMs);
  }

  private async settle(): Promise<void> {
    const touched = [...this.touched];
    const comeOrGone = this.comeOrGone;
    this.touched.clear();
    this.comeOrGone = false;
    if (touched.length > mostTouched) this.log.everything();
    else for (const path of touched) this.log.file(path);
    if (!comeOrGone) return;
    for (const path of touched) {
      const found = await lstat(join(this.files.root, path)).catch(() => undefined); // gone: no folder to watch
      if (!found?.isDirectory()) this.forget(path);
      else if (!recursive) await this.watchNew(path);
    }
    const before = this.listed;
    await this.list();
    const differing = [...[...this.listed].filter((path) => !before.has(path)), ...[...before].filter((path) => !this.listed.has(path))];
    for (const path of differing) this.log.file(path);
    if (differing.length > 0) this.log.list();
  }

  private async watchNew(path: string): Promise<void> {
    const folders = [path];
    for (let i = 0; i < folders.length && i < mostNewFolders; i++) {
      const folder = folders[i] ?? '';
      this.watchFolder(folder);
      const entries = await readdir(join(this.files.root, folder), { withFileTypes: true }).catch(() => []); // gone again
      folders.push(...entries.filter((entry) => entry.isDirectory() && !notWatched.test(entry.name)).map(({ name }) => `${folder}/${name}`));
    }
  }

  /** A folder that is gone, or whose name another one may get, is not watched under it any more. */
  private forget(path: string): void {
    for (const folder of this.watchers.keys()) {
      if (folder !== '' && (folder === path || folder.startsWith(`${path}/`))) {
        this.watchers.get(folder)?.close();
        this.watchers.delete(folder);
      }
    }
  }
}

function foldersOf(path: string): readonly string[] {
  const folders: string[] = [];
  for (let at = dirname(path); at !== '.'; at = dirname(at)) folders.push(at);
  return folders;
}
