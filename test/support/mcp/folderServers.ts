import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { mcpTools } from '../../../src/agent/mcp/toolSet.js';
import { systemTimers } from '../../../src/agent/timers.js';
import { standardTools } from '../../../src/agent/tools/standardTools.js';
import { SessionGrants } from '../../../src/agent/sessionGrants.js';
import { NodeWorkspace } from '../../../src/agent/workspace/nodeWorkspace.js';
import { systemClock } from '../../../src/base/clock.js';
import type { Logger } from '../../../src/base/logger.js';
import { ClientProcess } from '../../../src/extension/mcp/client/clientProcess.js';
import { configuredServers } from '../../../src/extension/mcp/client/configuredServers.js';
import type { McpServer } from '../../../src/extension/mcp/client/mcpServer.js';
import { McpServers } from '../../../src/extension/mcp/client/mcpServers.js';
import { ServerStore } from '../../../src/extension/mcp/client/serverStore.js';
import type { Approval, Decision } from '../../../src/protocol/agentEvents.js';
import { ripgrep } from '../../unit/agent/support/folder.js';
import { answer, call, calls } from '../../unit/agent/support/scriptedModel.js';
import { run, type Ran } from '../../unit/agent/support/turns.js';

/** The shipped bundle, and a server that does what it is told, whatever that is. */
export const clientBundle = resolve('dist/mcp/client.mjs');
export const hostileServer = resolve('out/test/support/mcp/hostileServer.js');
export const filesystemServer = resolve('node_modules/@modelcontextprotocol/server-filesystem/dist/index.js');
export const everythingServer = resolve('node_modules/@modelcontextprotocol/server-everything/dist/index.js');

/** What went wrong behind the scenes shall not stay there. */
const logger: Logger = { log: (level, message, fields) => { if (level === 'error') console.error(message, fields); } };

export interface FolderServersOptions {
  readonly trusted?: boolean;
  readonly callMs?: number;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface Turn extends Ran { readonly approvals: readonly Approval[]; readonly results: readonly string[] }

/** A folder with its MCP servers, as a window has them: the shipped process, real servers, records in a folder of the user's. */
export class FolderServers {
  readonly grants = new SessionGrants();
  readonly logs: { readonly id: string; readonly text: string }[] = [];
  problems: readonly string[] = [];
  private settings: unknown = {};

  private constructor(readonly base: string, readonly folder: string, readonly process: ClientProcess, readonly servers: McpServers) {
    process.onLog((line) => this.logs.push(line));
  }

  static async make({ trusted = true, callMs = 10_000, env = process.env }: FolderServersOptions = {}): Promise<FolderServers> {
    const base = await realpath(await mkdtemp(join(tmpdir(), 'loupe-servers-')));
    const folder = join(base, 'app');
    await mkdir(folder);
    const client = new ClientProcess({ module: clientBundle, version: '1', env, logger });
    const servers = new McpServers({
      folder, connections: client, store: new ServerStore(join(base, 'records')), values: { home: base, env }, trusted: () => trusted,
      callMs: () => callMs, clock: systemClock, timers: systemTimers, logger,
    });
    return new FolderServers(base, folder, client, servers);
  }

  /** A line for each start and call of the hostile server. */
  get notes(): string {
    return join(this.base, 'notes');
  }

  /** Lines that begin with this word. */
  async noted(word: string): Promise<readonly string[]> {
    const text = await readFile(this.notes, 'utf8').catch(() => '');
    return text.split('\n').filter((line) => line.startsWith(word));
  }

  hostile(mode: string, more: object = {}): object {
    return { command: process.execPath, args: [hostileServer, mode, this.notes], ...more };
  }

  async user(settings: Readonly<Record<string, object>>): Promise<void> {
    this.settings = settings;
    await this.read();
  }

  async workspace(servers: Readonly<Record<string, object>>): Promise<void> {
    await mkdir(join(this.folder, '.vscode'), { recursive: true });
    await writeFile(join(this.folder, '.vscode', 'mcp.json'), JSON.stringify({ servers }));
    await this.read();
  }

  /** As after a change of the settings or the file. */
  async read(): Promise<void> {
    const { servers, problems } = await configuredServers(this.settings, this.folder);
    this.problems = problems;
    await this.servers.update(servers);
  }

  named(name: string): McpServer {
    const server = this.servers.all.find(({ config }) => config.name === name);
    if (!server) throw new Error(`no server ${name}`);
    return server;
  }

  /** A turn of the agent with a model that makes these calls, one a hop. */
  async turn(made: readonly (readonly [tool: string, args?: Record<string, unknown>])[], { decide = () => 'accepted' as const, remember, conversation = 'c', signal }: {
    readonly decide?: (approval: Approval) => Decision; readonly remember?: 'exact'; readonly conversation?: string; readonly signal?: AbortSignal;
  } = {}): Promise<Turn> {
    const approvals: Approval[] = [];
    const asking = {
      request: (approval: Approval): Promise<Decision> => {
        approvals.push(approval);
        if (remember) this.grants.remember('f', approval, remember);
        return Promise.resolve(decide(approval));
      },
    };
    const standard = standardTools({ workspace: new NodeWorkspace(this.folder, ripgrep), approvals: asking }, 'full');
    const session = this.grants.of('f');
    const ran = await run({
      tools: standard, replies: [...made.map(([tool, args]) => calls(call(tool, args))), answer('Done.')], budget: { steps: made.length + 2, tokens: 1e7 },
      grants: { ...session, allowsTool: (identity) => session.allowsTool(identity) ?? (this.servers.always(identity) ? 'always' : undefined) },
      serverTools: async (_, within) => {
        const { tools, starts } = await this.servers.toolsOf(conversation, within);
        return { tools: mcpTools(tools, standard.length, { port: this.servers, approvals: asking, ledger: new Map() }), starts };
      },
      ...(signal ? { signal } : {}),
    });
    return { ...ran, approvals, results: ran.events.flatMap((event) => (event.type === 'toolFinished' ? [event.result] : [])) };
  }

  async dispose(): Promise<void> {
    this.servers.dispose();
    const ended = this.process.end();
    this.process.dispose();
    await ended;
    await rm(this.base, { recursive: true, force: true });
  }
}

/** Runs with a folder's servers, and ends everything. */
export async function withServers(act: (servers: FolderServers) => Promise<void>, options?: FolderServersOptions): Promise<void> {
  const servers = await FolderServers.make(options);
  try {
    await act(servers);
  } finally {
    await servers.dispose();
  }
}

export async function eventually(holds: () => boolean | Promise<boolean>, what: string, withinMs = 10_000): Promise<void> {
  for (const end = performance.now() + withinMs; !(await holds());) {
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((done) => setTimeout(done, 25));
  }
}

export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw thrown;
  }
}
