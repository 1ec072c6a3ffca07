import { revealHidden } from '../../../base/hiddenText.js';
import { plural } from '../../../agent/gates.js';
import { serverLine, serverLines } from './approvalText.js';
import type { McpServer } from './mcpServer.js';
import type { ServerConfig } from './serverConfig.js';

/** What of a server its texts need. */
export type ServerView = Pick<McpServer, 'config' | 'state' | 'tools' | 'changes'>;

export const plainName = (name: string): string => revealHidden(name).text.replace(/\s+/g, ' ').trim().slice(0, 80);

/** State and number of tools, in a few words. */
export function stateText({ state, tools, changes }: ServerView): string {
  const waiting = changes.length === 0 ? '' : `, ${plural(changes.length, 'changed tool')} to review`;
  switch (state.state) {
    case 'off': return 'switched off';
    case 'asks': return state.changed ? 'changed since you approved it: not started' : 'waits for your approval: not started';
    case 'idle': return tools.length === 0 ? 'not started yet' : `${plural(tools.length, 'tool')}, starts when needed${waiting}`;
    case 'starting': return 'starting';
    case 'running': return `running, ${plural(tools.length, 'tool')}${waiting}`;
    case 'restarting': return `restarting: ${revealHidden(state.error.message).text}`;
    case 'failed': return `failed: ${revealHidden(state.error.message).text}`;
  }
}

/** An icon of the editor's own set; the state says the same in words. */
export function stateIcon({ state, changes }: ServerView): string {
  if (state.state === 'asks' || changes.length > 0) return '$(question)';
  return { off: '$(circle-slash)', idle: '$(circle-outline)', starting: '$(loading~spin)', running: '$(check)', restarting: '$(loading~spin)', failed: '$(error)' }[state.state];
}

export const originText = (config: ServerConfig): string => `${config.origin === 'user' ? 'your settings' : '.vscode/mcp.json'}: ${serverLine(config)}`;

/** The question before a workspace's server is started for the first time, or again as another one. */
export function approvalQuestion(config: ServerConfig, files: Readonly<Record<string, string>>, changed: boolean): { readonly message: string; readonly detail: string } {
  const what = config.launch.kind === 'http' ? 'connect to' : 'start';
  return {
    message: `.vscode/mcp.json of this workspace asks to ${what} the MCP server "${plainName(config.name)}"${changed ? ', which changed since you approved it' : ''}.`,
    detail: [
      ...serverLines(config, files), '',
      config.launch.kind === 'http' ? 'What the model gives to its tools is sent there.' : 'It is a program with all that you may do on this machine: nothing confines it.',
      'You are asked again when anything of this changes.',
    ].join('\n'),
  };
}
