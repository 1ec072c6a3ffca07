import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { endpointOf, readHttpAddress } from '../../agent/window/httpAddress.js';
import { type Disposable, DisposableStore } from '../../base/disposable.js';
import { failure, messageOf } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import { contextRequests } from '../../protocol/context.js';
import type { SettingKey, SettingValue } from '../../protocol/settings.js';
import type { Event } from '../../base/event.js';
import type { ContextServer } from '../memory/contextClient.js';
import type { Trust } from '../trust.js';
import { ClientApprovals } from '../window/clientApprovals.js';
import { Dialogs } from '../window/dialogs.js';
import { folderService, type FolderServiceDeps } from '../window/folderService.js';
import { WindowOffer } from '../window/windowOffer.js';
import { WindowServer, type WindowService } from '../window/windowServer.js';
import { clients, configurationFor, type McpClientKind, type McpLaunch, serverName } from './configuration.js';
import { HttpServers } from './httpServers.js';
import { writeLauncher } from './launcher.js';

export interface McpDeps {
  /** Folder of the installed extension. */
  readonly extension: string;
  readonly version: string;
  /** The user's folder for what outlives a window; addresses are in `run` below it. */
  readonly cache: string;
  readonly trust: Trust;
  readonly settings: { get<K extends SettingKey>(key: K): SettingValue<K>; readonly onDidChange: Event<ReadonlySet<SettingKey>> };
  readonly ports: (folder: vscode.WorkspaceFolder) => Pick<FolderServiceDeps, 'workspace' | 'edits' | 'commands'>;
  /** Where edits wait for the user. */
  readonly edits: ConstructorParameters<typeof ClientApprovals>[1];
  /** Where the index of the folders is. */
  readonly index: Pick<ContextServer, 'request'>;
  readonly newId: () => string;
  readonly logger: Logger;
}

export interface Mcp extends Disposable {
  /** Asks for which program, and copies what its configuration needs. */
  copyConfiguration(): Promise<void>;
}

/** The same id as in package.json. */
export const providerId = 'loupe.workspace';

const onDisk = (): readonly vscode.WorkspaceFolder[] => (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file');

/** The open folders by their real paths. One that is not there any more is left out. */
async function realFolders(logger: Logger): Promise<ReadonlyMap<string, vscode.WorkspaceFolder>> {
  const found = new Map<string, vscode.WorkspaceFolder>();
  for (const folder of onDisk()) {
    try {
      found.set(await realpath(folder.uri.fsPath), folder);
    } catch (error) {
      logger.log('warn', 'A folder is not offered to other programs', { folder: folder.name, error: messageOf(error) });
    }
  }
  return found;
}

const runFolder = ({ cache }: McpDeps): string => join(cache, 'run');

/** Offers this window's folders to the editor's own MCP clients and to other programs, as long as they are trusted and the setting is on. */
export function registerMcp(deps: McpDeps): Mcp {
  const disposables = new DisposableStore();
  const dialogs = new Dialogs();
  const offered = (): boolean => deps.trust.granted && deps.settings.get('loupe.mcp.server.enabled');
  const services = new Map<string, WindowService>();

  const offer = disposables.add(new WindowOffer({
    logger: deps.logger,
    start: () => WindowServer.start({ stateDir: runFolder(deps), service: (folder) => services.get(folder), allowed: offered, logger: deps.logger }),
    folders: async () => {
      const folders = offered() ? await realFolders(deps.logger) : new Map<string, vscode.WorkspaceFolder>();
      for (const root of services.keys()) if (!folders.has(root)) services.delete(root);
      for (const [root, folder] of folders) {
        if (services.has(root)) continue;
        services.set(root, folderService({
          folder, newId: deps.newId, approvals: (client) => new ClientApprovals(client, deps.edits, dialogs), ...deps.ports(folder),
          related: (question, signal) => deps.index.request(contextRequests.related, { folder: folder.uri.fsPath, ...question }, signal),
        }));
      }
      return [...services.keys()];
    },
  }));
  const module = join(deps.extension, 'dist', 'mcp', 'main.mjs');
  const http = disposables.add(new HttpServers({
    module, logger: deps.logger, folders: async () => (offered() && deps.settings.get('loupe.mcp.http.enabled') ? [...(await realFolders(deps.logger)).keys()] : []),
  }));
  // Written anew by every version: what users copied long ago starts the one that is installed.
  const launcher = (): Promise<string> => writeLauncher(deps.cache, module);
  const changed = disposables.add(new vscode.EventEmitter<void>());
  const update = (): void => {
    changed.fire();
    void offer.update().then(() => http.update()); // both log what fails
    if (offered()) void launcher().catch((error: unknown) => deps.logger.log('warn', 'What other programs start could not be written', { error: messageOf(error) }));
  };
  const launch = (folder: vscode.WorkspaceFolder, entry: string): McpLaunch & { kind: 'stdio' } => ({
    kind: 'stdio', command: process.execPath, args: [entry, '--window', folder.uri.fsPath],
    env: process.versions['electron'] === undefined ? {} : { ELECTRON_RUN_AS_NODE: '1' },
  });

  disposables.add(vscode.lm.registerMcpServerDefinitionProvider(providerId, {
    onDidChangeMcpServerDefinitions: changed.event,
    provideMcpServerDefinitions: () => (offered() ? onDisk() : []).map((folder) => {
      const { command, args, env } = launch(folder, module);
      return new vscode.McpStdioServerDefinition(`Loupe: ${folder.name}`, command, [...args], { ...env }, deps.version);
    }),
    resolveMcpServerDefinition: async (server) => {
      await offer.update();
      return offered() ? server : undefined;
    },
  }));
  disposables.add(vscode.workspace.onDidChangeWorkspaceFolders(update));
  disposables.add(deps.trust.onGranted(update));
  disposables.add(deps.settings.onDidChange((keys) => {
    if (keys.has('loupe.mcp.server.enabled') || keys.has('loupe.mcp.http.enabled')) update();
  }));
  update();
  return { dispose: () => disposables.dispose(), copyConfiguration: () => copyConfiguration(deps, offered, async (folder) => launch(folder, await launcher())) };
}

async function copyConfiguration(deps: McpDeps, offered: () => boolean, launch: (folder: vscode.WorkspaceFolder) => Promise<McpLaunch>): Promise<void> {
  if (!deps.trust.granted) throw failure('workspace.untrusted', 'This workspace is not trusted.', 'Trust it to offer it to other programs.');
  if (!offered()) throw failure('tool.refused', 'The MCP server is switched off.', 'Switch the setting loupe.mcp.server.enabled on.');
  const folders = onDisk();
  const folder = folders.length === 1 ? folders[0] : await vscode.window.showWorkspaceFolderPick({ placeHolder: 'The folder to offer' });
  if (!folder) {
    if (folders.length === 0) throw failure('workspace.none', 'No folder is open.', 'Open the folder of your repository.');
    return;
  }
  const running = deps.settings.get('loupe.mcp.http.enabled') ? await readHttpAddress(runFolder(deps), await realpath(folder.uri.fsPath)) : undefined;
  const kinds = Object.keys(clients) as McpClientKind[];
  const ways: readonly { readonly launch: McpLaunch; readonly suffix: string }[] = [
    { launch: await launch(folder), suffix: '' },
    ...(running ? [{ launch: { kind: 'http', url: endpointOf(running.port), token: running.token } as const, suffix: ' over HTTP' }] : []),
  ];
  const items = ways.flatMap((way) => kinds.map((kind) => ({ label: `${clients[kind].label}${way.suffix}`, description: clients[kind].description, client: kind, way: way.launch })));
  const chosen = await vscode.window.showQuickPick(items, { title: 'Copy MCP Configuration', placeHolder: 'For which program?' });
  if (!chosen) return;
  await vscode.env.clipboard.writeText(configurationFor(chosen.client, serverName(folder.name), chosen.way));
  const where = vscode.env.remoteName === undefined ? '' : ` It is for programs on ${vscode.env.remoteName}, where the folder is.`;
  const secret = chosen.way.kind === 'http' ? ' It holds a token: whoever has it can read the workspace.' : '';
  void vscode.window.showInformationMessage(`The configuration for ${chosen.label} is copied.${where}${secret}`);
}
