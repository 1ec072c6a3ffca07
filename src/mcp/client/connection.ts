import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport, StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  CallToolResultSchema, ErrorCode, ListToolsResultSchema, LoggingMessageNotificationSchema, McpError, ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { failure, type LoupeError, LoupeFailure, makeError, messageOf } from '../../base/errors.js';
import type { McpCallResult, McpConnected, McpLaunchPlan, McpToolDefinition } from '../../protocol/mcpClient.js';
import { cappedFetch, serverAddress } from './cappedFetch.js';
import { Definitions } from './definitions.js';
import { resultText } from './results.js';
import type { ServerLog } from './serverLog.js';
import { StdioTransport } from './stdioTransport.js';

export interface ConnectionEvents {
  readonly log: ServerLog;
  /** A process leads a group of its own now. */
  readonly started: (pid: number) => void;
  /** The connection ended by itself; not called after `close`. */
  closed(error: LoupeError): void;
  tools(tools: readonly McpToolDefinition[]): void;
}

export interface ConnectOptions { readonly version: string; readonly withinMs: number }

const mostPages = 50;
const relistAfterMs = 200;
/** Progress lets a call take longer, but not for ever. */
const mostExtended = 10;
const longestMessage = 2_000;
const { RequestTimeout: requestTimeout, ConnectionClosed: connectionClosed }: Record<'RequestTimeout' | 'ConnectionClosed', number> = ErrorCode;

/**
 * One MCP server, connected. It is offered no capability: nothing here samples a model, asks the user, or tells a folder for it. Failures are thrown as LoupeFailure.
 */
export class ServerConnection {
  private closedBy: LoupeError | undefined;
  private done = false;
  private relist: NodeJS.Timeout | undefined;
  private current: readonly McpToolDefinition[] = [];

  private constructor(private readonly client: Client, private readonly transport: Transport, private readonly events: ConnectionEvents, private readonly withinMs: number) {}

  /** Starts or reaches the server, and lists its tools. */
  static async open(launch: McpLaunchPlan, { version, withinMs }: ConnectOptions, events: ConnectionEvents, signal: AbortSignal): Promise<{ readonly connection: ServerConnection; readonly connected: McpConnected }> {
    const began = performance.now();
    const client = new Client({ name: 'loupe', title: 'Loupe', version }, { capabilities: {} });
    const transport = transportFor(launch, events, (error) => connection.cutOff(error));
    const connection = new ServerConnection(client, transport, events, withinMs);
    const late = AbortSignal.timeout(withinMs);
    const within = AbortSignal.any([signal, late]);
    const abort = (): void => void client.close().catch(() => undefined); // whoever waits is told by the signal
    within.addEventListener('abort', abort, { once: true });
    try {
      within.throwIfAborted();
      await client.connect(transport, { signal: within, timeout: withinMs });
      const tools = client.getServerCapabilities()?.tools ? await connection.list(within) : [];
      connection.follow();
      const { name = 'unnamed', version: theirs = '' } = client.getServerVersion() ?? {};
      return {
        connection,
        connected: { server: { name, version: theirs }, tools, startMs: performance.now() - began, ...(transport instanceof StdioTransport && transport.pid !== undefined ? { pid: transport.pid } : {}) },
      };
    } catch (thrown) {
      connection.done = true;
      await client.close();
      await transport.close();
      signal.throwIfAborted();
      if (late.aborted) throw failure('mcp.timeout', `The server did not answer within ${Math.round(withinMs / 1000)} s of its start.`, 'Look into its log; the first start of a server may have to download it.', thrown);
      throw connection.failed(thrown);
    } finally {
      within.removeEventListener('abort', abort);
    }
  }

  get tools(): readonly McpToolDefinition[] {
    return this.current;
  }

  async call(tool: string, args: Readonly<Record<string, unknown>>, withinMs: number, signal: AbortSignal): Promise<McpCallResult> {
    try {
      // Not `callTool`: it compiles the server's own schemas, which may be made to hang.
      const result = await this.client.request({ method: 'tools/call', params: { name: tool, arguments: args } }, CallToolResultSchema, {
        signal, timeout: withinMs, resetTimeoutOnProgress: true, maxTotalTimeout: withinMs * mostExtended, onprogress: () => undefined,
      });
      return resultText(result);
    } catch (thrown) {
      signal.throwIfAborted();
      if (thrown instanceof McpError && thrown.code === requestTimeout) {
        throw failure('mcp.timeout', `The tool did not answer within ${Math.round(withinMs / 1000)} s.`, 'Try again, or raise the setting loupe.mcp.callSeconds. Whether it took effect is not known.');
      }
      throw this.failed(thrown);
    }
  }

  async close(): Promise<void> {
    this.done = true;
    clearTimeout(this.relist);
    await this.client.close();
    await this.transport.close();
  }

  private async list(signal: AbortSignal): Promise<readonly McpToolDefinition[]> {
    const found = new Definitions();
    let cursor: string | undefined;
    for (let page = 0; page < mostPages; page++) {
      const result = await this.client.request({ method: 'tools/list', ...(cursor === undefined ? {} : { params: { cursor } }) }, ListToolsResultSchema, { signal, timeout: this.withinMs });
      found.add(result.tools);
      cursor = result.nextCursor;
      if (cursor === undefined) return (this.current = found.all);
    }
    throw failure('mcp.tooMuch', 'The list of the server\'s tools does not end.', 'Report it to the author of the server.');
  }

  private follow(): void {
    this.client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
      this.relist ??= setTimeout(() => void this.listAgain(), relistAfterMs);
    });
    this.client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => {
      this.events.log.line(`${params.level}: ${typeof params.data === 'string' ? params.data : JSON.stringify(params.data)}`);
    });
    this.client.onerror = (error) => this.events.log.line(`error: ${error.message}`);
    this.client.onclose = () => this.ended();
  }

  private async listAgain(): Promise<void> {
    this.relist = undefined;
    try {
      this.events.tools(await this.list(AbortSignal.timeout(this.withinMs)));
    } catch (thrown) {
      if (!this.done) this.cutOff(this.failed(thrown).error);
    }
  }

  private cutOff(error: LoupeError): void {
    this.closedBy ??= error;
    void this.client.close().catch(() => undefined); // `ended` tells it
  }

  private ended(): void {
    if (this.done) return;
    this.done = true;
    clearTimeout(this.relist);
    void this.transport.close();
    this.events.closed(this.reason ?? makeError('mcp.ended', 'The server closed the connection.', 'Look into its log.'));
  }

  private get reason(): LoupeError | undefined {
    return this.closedBy ?? (this.transport instanceof StdioTransport ? this.transport.ended : undefined);
  }

  /** Whatever the SDK or the network threw, as one of our errors. */
  private failed(thrown: unknown): LoupeFailure {
    if (thrown instanceof LoupeFailure) return thrown;
    if (this.reason) return new LoupeFailure(this.reason);
    if (thrown instanceof StreamableHTTPError) return httpFailure(thrown);
    const message = messageOf(thrown).slice(0, longestMessage);
    if (thrown instanceof McpError && thrown.code !== connectionClosed) return failure('mcp.failed', `The server answered with an error (${message}).`, 'Correct the call, or look into the log of the server.', thrown);
    if (thrown instanceof TypeError) return failure('mcp.unreachable', `The server cannot be reached (${networkCause(thrown)}).`, 'Check its address, and that it runs.', thrown);
    return failure('mcp.failed', `The server does not speak the protocol as it should (${message}).`, 'Look into the log of the server.', thrown);
  }
}

function transportFor(launch: McpLaunchPlan, events: ConnectionEvents, cutOff: (error: LoupeError) => void): Transport {
  if (launch.kind === 'stdio') return new StdioTransport(launch, events.log, events.started);
  const url = serverAddress(launch.url);
  // No provider of authorization: what a server says about where to get one is never followed, opened or handed to a program.
  return new StreamableHTTPClientTransport(url, { requestInit: { headers: launch.headers }, fetch: cappedFetch(url, cutOff) });
}

function httpFailure({ code, message }: StreamableHTTPError): LoupeFailure {
  if (code === 401 || code === 403) {
    return failure('mcp.unauthorized', `The server demands authorization (HTTP ${code}).`, 'Put a header with a key into the settings of this server, for example "Authorization"; Loupe opens no page to log in.');
  }
  return failure('mcp.unreachable', `The server answered with an error (${message.slice(0, longestMessage)}).`, 'Check the address of the server, and its log.');
}

const networkCause = (error: Error): string => (error.cause === undefined ? error.message : messageOf(error.cause));
