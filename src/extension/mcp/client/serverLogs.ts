import * as vscode from 'vscode';
import type { Disposable } from '../../../base/disposable.js';
import type { McpServer } from './mcpServer.js';
import { plainName } from './serverText.js';

/** A log view for each server that has written something, or whose log was asked for. */
export class ServerLogs implements Disposable {
  private readonly channels = new Map<string, vscode.LogOutputChannel>();

  write(server: McpServer, text: string): void {
    this.of(server).info(text);
  }

  show(server: McpServer): void {
    this.of(server).show();
  }

  dispose(): void {
    for (const channel of this.channels.values()) channel.dispose();
    this.channels.clear();
  }

  private of(server: McpServer): vscode.LogOutputChannel {
    const channel = this.channels.get(server.id) ?? vscode.window.createOutputChannel(`Loupe MCP: ${plainName(server.config.name)}`, { log: true });
    this.channels.set(server.id, channel);
    return channel;
  }
}
