import type { McpPort, McpTool, ServerStart } from '../../../agent/mcp/port.js';
import { orAbort } from '../../../agent/abort.js';
import { type Disposable, DisposableStore } from '../../../base/disposable.js';
import { failure, toError } from '../../../base/errors.js';
import { Emitter } from '../../../base/event.js';
import type { Logger } from '../../../base/logger.js';
import type { McpCallResult } from '../../../protocol/mcpClient.js';
import { McpServer, type McpServerDeps } from './mcpServer.js';
import type { ServerConfig } from './serverConfig.js';

export interface McpServersDeps extends McpServerDeps {
  /** Resolves when {@link McpServers.update} was called with what is configured: nobody is told before that there are none. */
  readonly configured?: () => Promise<void>;
  readonly logger: Logger;
}

/** Conversations whose tools are known; the oldest are forgotten. */
const mostConversations = 200;

/** The MCP servers of one folder, and the tools that its conversations have of them. */
export class McpServers implements McpPort, Disposable {
  private readonly disposables = new DisposableStore();
  private readonly changed = this.disposables.add(new Emitter<void>());
  /** A server, or which there are. */
  readonly onDidChange = this.changed.event;
  private servers: readonly McpServer[] = [];
  private readonly conversations = new Map<string, readonly McpTool[]>();
  private last: Promise<void> = Promise.resolve();

  constructor(private readonly deps: McpServersDeps) {
    const { connections, logger } = deps;
    this.disposables.add(connections.onClosed(({ id, error }) => this.byId(id)?.lost(error)));
    this.disposables.add(connections.onTools(({ id, tools }) => {
      this.byId(id)?.learn(tools).catch((thrown: unknown) => logger.log('error', 'The tools of an MCP server could not be kept', { error: toError(thrown) }));
    }));
  }

  get all(): readonly McpServer[] {
    return this.servers;
  }

  /** Takes over the configuration: what is the same goes on, what is gone or changed ends. Resolves when every server's state is known. */
  update(configs: readonly ServerConfig[]): Promise<void> {
    this.last = this.last.then(() => this.replace(configs)).catch((thrown: unknown) => this.deps.logger.log('error', 'The MCP servers could not be set up', { error: toError(thrown) }));
    return this.last;
  }

  /**
   * The tools of a conversation, and which servers were started for that: those whose tools nobody knows yet. The first answer for a conversation is the answer for
   * all its turns, so that its prompts only grow. What is gone since fails when it is called.
   */
  async toolsOf(conversation: string, signal: AbortSignal): Promise<{ readonly tools: readonly McpTool[]; readonly starts: readonly ServerStart[] }> {
    const known = this.conversations.get(conversation);
    if (known) return { tools: known, starts: [] };
    await orAbort(this.deps.configured?.() ?? Promise.resolve(), signal);
    await this.last;
    const starts = this.deps.trusted() ? await Promise.all(this.servers.filter((server) => server.unknown).map((server) => server.coldStart(signal))) : [];
    const tools = this.offered;
    this.conversations.set(conversation, tools);
    const [oldest] = this.conversations.keys();
    if (this.conversations.size > mostConversations && oldest !== undefined) this.conversations.delete(oldest);
    return { tools, starts };
  }

  /** What {@link toolsOf} will say, as far as it is known; starts and settles nothing. */
  upcoming(conversation?: string): readonly McpTool[] {
    return (conversation === undefined ? undefined : this.conversations.get(conversation)) ?? this.offered;
  }

  /** The user's settings allow it without asking. */
  always(identity: string): boolean {
    return this.servers.some(({ config, tools }) => config.alwaysAllow.length > 0 && tools.some((tool) => tool.identity === identity && config.alwaysAllow.includes(tool.name)));
  }

  starting({ server }: McpTool, signal: AbortSignal): Promise<void> | undefined {
    return this.named(server).start(signal);
  }

  call(tool: McpTool, args: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<McpCallResult> {
    return this.named(tool.server).call(tool, args, signal);
  }

  dispose(): void {
    for (const server of this.servers) server.dispose();
    this.servers = [];
    this.disposables.dispose();
  }

  private get offered(): readonly McpTool[] {
    return this.deps.trusted() ? this.servers.flatMap((server) => server.tools) : [];
  }

  private async replace(configs: readonly ServerConfig[]): Promise<void> {
    const same = (a: ServerConfig, b: ServerConfig): boolean => JSON.stringify(a) === JSON.stringify(b);
    const kept = this.servers.filter(({ config }) => configs.some((wanted) => same(wanted, config)));
    for (const server of this.servers) if (!kept.includes(server)) server.dispose();
    const next: McpServer[] = [];
    for (const config of configs) {
      const before = kept.find((server) => same(server.config, config));
      if (before) next.push(before);
      else {
        const server = await McpServer.load(config, this.deps);
        server.onDidChange(() => this.changed.fire());
        next.push(server);
      }
    }
    this.servers = next;
    this.changed.fire();
  }

  private named(name: string): McpServer {
    const server = this.servers.find(({ config }) => config.name === name);
    if (!server) throw failure('mcp.off', `The MCP server ${JSON.stringify(name)} is not configured any more.`, 'Go on without it.');
    return server;
  }

  private byId(id: string): McpServer | undefined {
    return this.servers.find((server) => server.id === id);
  }
}
