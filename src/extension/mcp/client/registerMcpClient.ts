import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import * as vscode from 'vscode';
import type { Timers } from '../../../agent/timers.js';
import type { Clock } from '../../../base/clock.js';
import { type Disposable, DisposableStore } from '../../../base/disposable.js';
import { type LoupeError, messageOf } from '../../../base/errors.js';
import { Emitter, type Event } from '../../../base/event.js';
import type { Logger } from '../../../base/logger.js';
import type { SettingKey, SettingValue } from '../../../protocol/settings.js';
import type { Reports } from '../../host/virtualDocuments.js';
import type { Trust } from '../../trust.js';
import { ClientProcess } from './clientProcess.js';
import { configuredServers, workspaceFile } from './configuredServers.js';
import type { McpServer } from './mcpServer.js';
import { McpServers } from './mcpServers.js';
import { ServerLogs } from './serverLogs.js';
import { ServerNotices } from './serverNotices.js';
import { showServers } from './serverPicker.js';
import { ServerStore } from './serverStore.js';

export interface McpClientDeps {
  /** The bundle that holds the connections. */
  readonly module: string;
  readonly version: string;
  /** Folder for approvals and accepted tools: the user's, not the workspace's. */
  readonly records: string;
  readonly trust: Trust;
  readonly settings: {
    get<K extends SettingKey>(key: K): SettingValue<K>;
    update<K extends SettingKey>(key: K, value: SettingValue<K>): Promise<void>;
    readonly onDidChange: Event<ReadonlySet<SettingKey>>;
  };
  readonly reports: Reports;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly onError: (error: LoupeError) => void;
  readonly logger: Logger;
}

export interface McpClient extends Disposable {
  /** The servers of an open folder. Undefined: the workspace is not trusted, or none is configured. */
  of(folder: vscode.WorkspaceFolder): McpServers | undefined;
  /** Says which tools of servers new conversations of a folder begin with: another one, other bytes. '' for none. */
  keyOf(uri: string): string;
  /** Of that, or of the state of any server. */
  readonly onDidChange: Event<void>;
  /** The list of servers, with what can be done about each. */
  show(): Promise<void>;
}

interface Folder { readonly folder: vscode.WorkspaceFolder; readonly servers: McpServers; readonly watcher: vscode.FileSystemWatcher; problems: readonly string[]; configured: Promise<void> }

/** MCP servers whose tools the agent may use, folder by folder. Nothing is read, started or reached before the workspace is trusted. */
export function registerMcpClient(deps: McpClientDeps): McpClient {
  const { trust, settings, logger } = deps;
  const disposables = new DisposableStore();
  const connections = disposables.add(new ClientProcess({ module: deps.module, version: deps.version, env: process.env, logger }));
  const store = new ServerStore(deps.records);
  const logs = disposables.add(new ServerLogs());
  const notices = new ServerNotices(() => void show(), deps.onError);
  const folders = new Map<string, Folder>();
  const changed = disposables.add(new Emitter<void>());
  const byId = (id: string): McpServer | undefined => [...folders.values()].flatMap(({ servers }) => servers.all).find((server) => server.id === id);
  disposables.add(connections.onLog(({ id, text }) => {
    const server = byId(id);
    if (server) logs.write(server, text);
  }));

  const configure = async (entry: Folder): Promise<void> => {
    const { servers, problems } = await configuredServers(settings.get('loupe.mcp.servers'), entry.folder.uri.fsPath);
    for (const problem of problems) if (!entry.problems.includes(problem)) logger.log('warn', problem);
    entry.problems = problems;
    await entry.servers.update(servers);
  };
  const reconfigure = (entry: Folder): void => {
    entry.configured = configure(entry).catch((error: unknown) => logger.log('error', 'The MCP servers could not be read', { error: messageOf(error) }));
  };
  const add = (folder: vscode.WorkspaceFolder): void => {
    const key = folder.uri.toString();
    const servers = new McpServers({
      configured: () => folders.get(key)?.configured ?? Promise.resolve(),
      folder: folder.uri.fsPath, connections, store, values: { home: homedir(), env: process.env }, trusted: () => trust.granted,
      callMs: () => settings.get('loupe.mcp.callSeconds') * 1000, clock: deps.clock, timers: deps.timers, logger,
    });
    const watcher = vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(folder, workspaceFile));
    const entry: Folder = { folder, servers, watcher, problems: [], configured: Promise.resolve() };
    for (const event of [watcher.onDidChange, watcher.onDidCreate, watcher.onDidDelete]) event(() => reconfigure(entry));
    servers.onDidChange(() => {
      notices.look(servers.all);
      changed.fire();
    });
    folders.set(key, entry);
    reconfigure(entry);
  };
  const remove = (key: string, { servers, watcher }: Folder): void => {
    folders.delete(key);
    watcher.dispose();
    servers.dispose();
  };
  const update = (): void => {
    const open = trust.granted ? (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file') : [];
    for (const [key, entry] of folders) if (!open.some(({ uri }) => uri.toString() === key)) remove(key, entry);
    for (const folder of open) {
      if (!folders.has(folder.uri.toString())) add(folder);
    }
  };
  const show = async (): Promise<void> => {
    await Promise.all([...folders.values()].map(({ configured }) => configured));
    await showServers({
      entries: () => [...folders.values()].flatMap(({ folder, servers }) => servers.all.map((server) => ({ server, folder: folder.name }))),
      problems: () => [...new Set([...folders.values()].flatMap(({ problems }) => problems))],
      several: folders.size > 1, settings, reports: deps.reports, showLog: (server) => logs.show(server),
    });
  };

  disposables.add(trust.onGranted(update));
  disposables.add(vscode.workspace.onDidChangeWorkspaceFolders(update));
  disposables.add(settings.onDidChange((keys) => {
    if (keys.has('loupe.mcp.servers')) for (const entry of folders.values()) reconfigure(entry);
  }));
  update();
  return {
    of: (folder) => folders.get(folder.uri.toString())?.servers,
    keyOf: (uri) => {
      const tools = folders.get(uri)?.servers.upcoming() ?? [];
      return tools.length === 0 ? '' : createHash('sha256').update(tools.map(({ identity }) => identity).join()).digest('hex');
    },
    onDidChange: changed.event,
    show,
    dispose: () => {
      for (const [key, entry] of folders) remove(key, entry);
      disposables.dispose();
    },
  };
}
