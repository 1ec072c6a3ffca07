import * as z from 'zod';
import type { Result } from '../base/result.js';
import type { JsonSchema } from './chat.js';
import type { NotificationType, RequestType } from './sidecar.js';

/**
 * Messages between a window and the one process that holds its connections to MCP servers: JSON-RPC over standard input and output. What servers send is
 * capped before it is parsed, on the far side: nothing here is ever larger than the limits below say.
 */
const stdioLaunch = z.object({
  kind: z.literal('stdio'), command: z.string().min(1), args: z.array(z.string()), env: z.record(z.string(), z.string()), cwd: z.string().min(1),
});
const httpLaunch = z.object({ kind: z.literal('http'), url: z.string().min(1), headers: z.record(z.string(), z.string()) });
/** What to start, or where to connect: every variable is filled in. */
export const mcpLaunchSchema = z.discriminatedUnion('kind', [stdioLaunch, httpLaunch]);
export type McpLaunchPlan = z.infer<typeof mcpLaunchSchema>;

export const mcpLimits = {
  /** Bytes of one message of a server. */
  message: 4 * 1024 * 1024,
  tools: 1_000,
  /** Characters of all definitions of a server together, as they are kept. */
  definitions: 1024 * 1024,
  description: 2_000,
  /** Characters of one schema as JSON; a longer one is kept as "any object". */
  schema: 16 * 1024,
  /** Characters of a result. */
  result: 60_000,
} as const;

/** A tool as a server defines it, cut to the limits. `hash`: sha256 of name, description and schema as they came, nothing cut. */
export interface McpToolDefinition { readonly name: string; readonly description: string; readonly inputSchema: JsonSchema; readonly hash: string }

/** `startMs`: from the start of the process, or the first request, until the tools are known. `pid`: the leader of the server's process group. */
export interface McpConnected { readonly server: { readonly name: string; readonly version: string }; readonly tools: readonly McpToolDefinition[]; readonly startMs: number; readonly pid?: number }

/** `failed`: the server says that the tool failed. */
export interface McpCallResult { readonly failed: boolean; readonly text: string; readonly truncated: boolean }

const id = z.string().min(1).max(200);
const milliseconds = z.number().int().min(1).max(86_400_000);
const connect = z.object({ id, launch: mcpLaunchSchema, withinMs: milliseconds });
const call = z.object({ id, tool: z.string().min(1), arguments: z.record(z.string(), z.unknown()), withinMs: milliseconds });

const request = <P, R>(method: string, params: z.ZodType<P>): RequestType<P, Result<R>> => ({ method, params });
const notification = <P>(method: string): NotificationType<P> => ({ method });

export const mcpClientRequests = {
  connect: request<z.infer<typeof connect>, McpConnected>('loupe/mcp/connect', connect),
  /** Progress that the server tells lets it take longer, up to ten times as long. */
  call: request<z.infer<typeof call>, McpCallResult>('loupe/mcp/call', call),
  /** Ends the server with all that it started. */
  disconnect: request<{ id: string }, null>('loupe/mcp/disconnect', z.object({ id })),
} as const;

export const mcpClientNotifications = {
  /** A process was started: should the one that tells it die, nobody else could end it. */
  started: notification<{ readonly id: string; readonly pid: number }>('loupe/mcp/started'),
  /** The connection ended by itself. */
  closed: notification<{ readonly id: string; readonly error: LoupeErrorData }>('loupe/mcp/closed'),
  tools: notification<{ readonly id: string; readonly tools: readonly McpToolDefinition[] }>('loupe/mcp/tools'),
  /** What a server writes for people: standard error, and log messages of the protocol. */
  log: notification<{ readonly id: string; readonly text: string }>('loupe/mcp/log'),
} as const;
type LoupeErrorData = Extract<Result<never>, { ok: false }>['error'];
