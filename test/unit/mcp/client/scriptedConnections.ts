import { Emitter } from '../../../../src/base/event.js';
import { makeError, type LoupeError } from '../../../../src/base/errors.js';
import { err, ok, type Result } from '../../../../src/base/result.js';
import type { McpConnections } from '../../../../src/extension/mcp/client/connections.js';
import type { McpCallResult, McpConnected, McpLaunchPlan, McpToolDefinition } from '../../../../src/protocol/mcpClient.js';

export const definition = (name: string, description = 'Does it.'): McpToolDefinition => ({ name, description, inputSchema: { type: 'object' }, hash: `${name} ${description}` });
export const broken: LoupeError = makeError('mcp.ended', 'The server ended (exit code 1).', 'Look into its log.');

/** Connections that do what they are told, and count what they were asked for. */
export class ScriptedConnections implements McpConnections {
  private readonly closed = new Emitter<{ id: string; error: LoupeError }>();
  private readonly told = new Emitter<{ id: string; tools: readonly McpToolDefinition[] }>();
  private readonly logged = new Emitter<{ id: string; text: string }>();
  readonly onClosed = this.closed.event;
  readonly onTools = this.told.event;
  readonly onLog = this.logged.event;
  readonly plans: McpLaunchPlan[] = [];
  readonly calls: (readonly [string, Readonly<Record<string, unknown>>])[] = [];
  tools: readonly McpToolDefinition[] = [definition('echo')];
  /** What a start comes to; `hang`: nothing, until it is called off. */
  outcome: 'ok' | 'hang' | LoupeError = 'ok';
  ended = 0;

  connect(_id: string, launch: McpLaunchPlan, _withinMs: number, signal: AbortSignal): Promise<Result<McpConnected>> {
    this.plans.push(launch);
    if (this.outcome === 'hang') return new Promise((resolve) => signal.addEventListener('abort', () => resolve(err(makeError('cancelled', 'Cancelled.', '')))));
    if (this.outcome !== 'ok') return Promise.resolve(err(this.outcome));
    return Promise.resolve(ok({ server: { name: 's', version: '1' }, tools: this.tools, startMs: 5 }));
  }

  call(_id: string, tool: string, args: Readonly<Record<string, unknown>>): Promise<Result<McpCallResult>> {
    this.calls.push([tool, args]);
    return Promise.resolve(ok({ failed: false, text: `did ${tool}`, truncated: false }));
  }

  disconnect(): Promise<void> {
    this.ended++;
    return Promise.resolve();
  }

  crash(id: string): void {
    this.closed.fire({ id, error: broken });
  }

  tell(id: string, tools: readonly McpToolDefinition[]): void {
    this.told.fire({ id, tools });
  }
}
