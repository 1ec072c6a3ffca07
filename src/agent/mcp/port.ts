import type { JsonSchema } from '../../protocol/chat.js';
import type { McpCallResult } from '../../protocol/mcpClient.js';

/** A tool of an MCP server that the user has let in, as its server defines it. */
export interface McpTool {
  /** The server's name in the configuration, and who put it there. */
  readonly server: string;
  readonly origin: 'user' | 'workspace';
  /** `stdio`: a process on this machine that nothing confines. `http`: somewhere else. */
  readonly kind: 'stdio' | 'http';
  readonly name: string;
  readonly description: string;
  readonly inputSchema: JsonSchema;
  /** What a yes to this tool is bound to: the server's configuration and the tool's definition, as a hash. */
  readonly identity: string;
}

/** The servers behind the tools. What it throws are LoupeFailures. */
export interface McpPort {
  /** Undefined: the server runs. Otherwise it is started, and the promise says when it can be called. */
  starting(tool: McpTool, signal: AbortSignal): Promise<void> | undefined;
  /** Refuses a tool whose definition is not the one that the user has accepted. */
  call(tool: McpTool, args: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<McpCallResult>;
}

/** How a server that was not running came up. `coldMs`: how long that took. */
export interface ServerStart { readonly server: string; readonly coldMs: number; readonly problem?: string }
