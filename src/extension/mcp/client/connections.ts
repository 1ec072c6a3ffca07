import type { LoupeError } from '../../../base/errors.js';
import type { Event } from '../../../base/event.js';
import type { Result } from '../../../base/result.js';
import type { McpCallResult, McpConnected, McpLaunchPlan, McpToolDefinition } from '../../../protocol/mcpClient.js';

/** Connections to MCP servers, by an id that the caller chooses. They live in another process. */
export interface McpConnections {
  connect(id: string, launch: McpLaunchPlan, withinMs: number, signal: AbortSignal): Promise<Result<McpConnected>>;
  call(id: string, tool: string, args: Readonly<Record<string, unknown>>, withinMs: number, signal: AbortSignal): Promise<Result<McpCallResult>>;
  disconnect(id: string): Promise<void>;
  /** A connection ended by itself. */
  readonly onClosed: Event<{ readonly id: string; readonly error: LoupeError }>;
  readonly onTools: Event<{ readonly id: string; readonly tools: readonly McpToolDefinition[] }>;
  readonly onLog: Event<{ readonly id: string; readonly text: string }>;
}
