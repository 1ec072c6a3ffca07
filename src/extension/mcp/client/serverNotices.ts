import * as vscode from 'vscode';
import type { LoupeError } from '../../../base/errors.js';
import type { McpServer } from './mcpServer.js';
import { plainName } from './serverText.js';

/** Tells the user once what waits for them: servers of a workspace that ask, tools that changed, a server that was given up. */
export class ServerNotices {
  private readonly told = new Set<string>();

  constructor(private readonly showServers: () => void, private readonly onError: (error: LoupeError) => void) {}

  look(servers: readonly McpServer[]): void {
    for (const { id, state } of servers) if (state.state !== 'asks') for (const changed of [true, false]) this.told.delete(`${id} asks ${changed}`);
    const asking = servers.filter(({ id, state }) => state.state === 'asks' && this.first(`${id} asks ${state.changed}`));
    if (asking.length > 0) {
      const names = asking.map(({ config }) => `"${plainName(config.name)}"`).join(', ');
      this.offer(`.vscode/mcp.json of this workspace has MCP servers that wait for your approval: ${names}. Nothing of them was started.`);
    }
    for (const { id, config, changes, state } of servers) {
      if (changes.length > 0 && this.first(`${id} changed ${changes.map(({ after }) => after?.hash).join()}`)) {
        this.offer(`The MCP server "${plainName(config.name)}" changed what its tools say. They are not offered to the model until you have seen it.`);
      }
      if (state.state === 'running') this.told.delete(`${id} failed`);
      if (state.state === 'failed' && this.first(`${id} failed`)) this.onError(state.error);
    }
  }

  private first(what: string): boolean {
    if (this.told.has(what)) return false;
    this.told.add(what);
    return true;
  }

  private offer(message: string): void {
    const review = 'Review';
    void vscode.window.showInformationMessage(message, review).then((chosen) => {
      if (chosen === review) this.showServers();
    });
  }
}
