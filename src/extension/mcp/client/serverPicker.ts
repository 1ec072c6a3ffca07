import * as vscode from 'vscode';
import type { SettingKey, SettingValue } from '../../../protocol/settings.js';
import { plural } from '../../../agent/gates.js';
import type { Reports } from '../../host/virtualDocuments.js';
import { changesText, fence } from './definitionChanges.js';
import type { McpServer } from './mcpServer.js';
import { approvalQuestion, originText, plainName, stateIcon, stateText } from './serverText.js';

export interface ServerPickerDeps {
  readonly entries: () => readonly { readonly server: McpServer; readonly folder: string }[];
  /** What of the configuration cannot be used. */
  readonly problems: () => readonly string[];
  readonly several: boolean;
  readonly settings: { get<K extends SettingKey>(key: K): SettingValue<K>; update<K extends SettingKey>(key: K, value: SettingValue<K>): Promise<void> };
  readonly reports: Reports;
  readonly showLog: (server: McpServer) => void;
}

interface Item extends vscode.QuickPickItem { readonly server?: McpServer }
interface Action extends vscode.QuickPickItem { readonly run: () => Promise<void> | void }

/** The list of servers; choosing one shows what can be done about it. */
export async function showServers(deps: ServerPickerDeps): Promise<void> {
  const items: Item[] = [
    ...deps.entries().map(({ server, folder }): Item => ({
      label: `${stateIcon(server)} ${plainName(server.config.name)}`, description: `${stateText(server)}${deps.several ? ` · ${folder}` : ''}`, detail: originText(server.config), server,
    })),
    ...deps.problems().map((problem): Item => ({ label: `$(warning) ${problem}` })),
    { label: '$(gear) Open the Settings', description: 'loupe.mcp.servers' },
  ];
  const chosen = await vscode.window.showQuickPick(items, { title: 'MCP Servers', placeHolder: 'Choose a server', matchOnDescription: true, matchOnDetail: true });
  if (!chosen) return;
  if (chosen.server) await showActions(chosen.server, deps);
  else await vscode.commands.executeCommand('workbench.action.openSettings', 'loupe.mcp.servers');
}

async function showActions(server: McpServer, deps: ServerPickerDeps): Promise<void> {
  const { state, changes, config } = server;
  const actions: Action[] = [];
  if (state.state === 'asks') actions.push({ label: '$(question) Review and Approve…', detail: originText(config), run: () => approve(server, deps.reports) });
  if (changes.length > 0) actions.push({ label: '$(diff) Review Changed Tools…', description: plural(changes.length, 'tool'), run: () => review(server, deps.reports) });
  if (!['asks', 'off'].includes(state.state)) actions.push({ label: `$(refresh) ${state.state === 'idle' ? 'Start' : 'Restart'}`, run: () => server.restart() });
  actions.push(server.enabled
    ? { label: '$(circle-slash) Switch Off', run: () => enable(server, false, deps.settings) }
    : { label: '$(check) Switch On', run: () => enable(server, true, deps.settings) });
  actions.push({ label: '$(output) Show Log', run: () => deps.showLog(server) });
  const chosen = await vscode.window.showQuickPick(actions, { title: `MCP Server ${plainName(config.name)}`, placeHolder: stateText(server) });
  await chosen?.run();
}

/** A dialog shows no more than this in full; what is longer is shown as a document beside the question. */
const mostCharacters = 1_500;
const mostLines = 22;

async function approve(server: McpServer, reports: Reports): Promise<void> {
  if (server.state.state !== 'asks') return;
  const { hash, files } = await server.asked();
  const { message, detail } = approvalQuestion(server.config, files, server.state.changed);
  // The first button has the focus: an Enter that was meant for something else starts nothing.
  const [refuse, allow] = ['Do Not Start', 'Approve and Start'] as const;
  const short = detail.length <= mostCharacters && detail.split('\n').length <= mostLines;
  if (!short) await reports.show('MCP Server.md', `# An MCP server asks to be started\n\n${fence(detail)}\n`);
  const chosen = short ? await vscode.window.showWarningMessage(message, { modal: true, detail }, refuse, allow)
    : await vscode.window.showWarningMessage(`${message} All of it is shown in the document.`, refuse, allow);
  if (chosen !== allow) return;
  await server.approve(hash);
  await server.start(new AbortController().signal);
}

async function review(server: McpServer, reports: Reports): Promise<void> {
  const { changes } = server;
  await reports.show('Changed Tools.md', changesText(plainName(server.config.name), changes));
  const [later, accept] = ['Not Now', 'Accept the Changes'] as const;
  const chosen = await vscode.window.showWarningMessage(`Offer the changed tools of "${plainName(server.config.name)}" to the model?`, later, accept);
  if (chosen === accept) await server.acceptChanges(changes);
}

/** The user's own servers are switched in their settings, a workspace's beside its approval. */
async function enable(server: McpServer, enabled: boolean, settings: ServerPickerDeps['settings']): Promise<void> {
  if (server.config.origin === 'workspace') return server.switch(enabled);
  const all = settings.get('loupe.mcp.servers');
  const entry = all[server.config.name];
  if (typeof entry !== 'object' || entry === null) return;
  await settings.update('loupe.mcp.servers', { ...all, [server.config.name]: { ...entry, enabled } });
}
