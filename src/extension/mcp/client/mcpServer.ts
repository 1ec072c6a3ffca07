import { createHash } from 'node:crypto';
import type { McpTool, ServerStart } from '../../../agent/mcp/port.js';
import type { Timers } from '../../../agent/timers.js';
import { orAbort } from '../../../agent/abort.js';
import { namedFiles } from '../../../agent/workspace/namedFiles.js';
import type { Clock } from '../../../base/clock.js';
import type { Disposable } from '../../../base/disposable.js';
import { failure, type LoupeError, LoupeFailure, makeError, toError } from '../../../base/errors.js';
import { Emitter } from '../../../base/event.js';
import { CrashLimit } from '../../../model/sidecar/crashLimit.js';
import type { McpCallResult, McpLaunchPlan, McpToolDefinition } from '../../../protocol/mcpClient.js';
import type { McpConnections } from './connections.js';
import { type DefinitionChange, definitionChanges } from './definitionChanges.js';
import { launchHash, type ServerConfig } from './serverConfig.js';
import type { ServerRecord, ServerStore } from './serverStore.js';
import { fillIn, type VariableValues } from './variables.js';

export type ServerState =
  | { readonly state: 'off' }
  /** A workspace wants it, and the user has not said yes to it as it is. `changed`: they had, to another one. */
  | { readonly state: 'asks'; readonly changed: boolean }
  | { readonly state: 'idle' }
  | { readonly state: 'starting' }
  | { readonly state: 'running' }
  | { readonly state: 'restarting'; readonly error: LoupeError }
  | { readonly state: 'failed'; readonly error: LoupeError };

export interface McpServerDeps {
  /** Path of the folder that it works for; its records are kept by it. */
  readonly folder: string;
  readonly connections: McpConnections;
  readonly store: ServerStore;
  readonly values: Omit<VariableValues, 'folder'>;
  readonly trusted: () => boolean;
  readonly callMs: () => number;
  readonly clock: Clock;
  readonly timers: Timers;
}

const startWithinMs = 30_000;

/**
 * One server of one folder: whether it may be started, its process or connection, its crashes, and which of its tools the user has accepted. What is started is the
 * very configuration that the approval was for.
 */
export class McpServer implements Disposable {
  readonly id: string;
  private readonly changed = new Emitter<void>();
  readonly onDidChange = this.changed.event;
  private current: ServerState = { state: 'idle' };
  private record: ServerRecord = {};
  private live: readonly McpToolDefinition[] | undefined;
  private starting: Promise<void> | undefined;
  private stopStart = new AbortController();
  private again: Disposable | undefined;
  private readonly crashes: CrashLimit;
  private hash = '';
  private disposed = false;

  private constructor(readonly config: ServerConfig, private readonly deps: McpServerDeps) {
    this.id = createHash('sha256').update(JSON.stringify([deps.folder, config.name])).digest('hex').slice(0, 24);
    this.crashes = new CrashLimit(deps.clock);
  }

  static async load(config: ServerConfig, deps: McpServerDeps): Promise<McpServer> {
    const server = new McpServer(config, deps);
    server.record = await deps.store.read(deps.folder, config.name);
    await server.settle();
    return server;
  }

  get state(): ServerState {
    return this.current;
  }

  get enabled(): boolean {
    return this.config.origin === 'workspace' ? this.record.enabled ?? this.config.enabled : this.config.enabled;
  }

  /** It has never said that it has any tool. */
  get unknown(): boolean {
    return this.current.state === 'idle' && !this.hasList;
  }

  /** Tools that may be offered: accepted, and as far as the server is known to say now, the same. */
  get tools(): readonly McpTool[] {
    if (['off', 'asks'].includes(this.current.state)) return [];
    const now = this.live && new Map(this.live.map((tool) => [tool.name, tool.hash]));
    return (this.record.tools ?? []).filter(({ name, hash }) => now === undefined || now.get(name) === hash).map((tool) => this.toolOf(tool));
  }

  /** What the user would have to see before more is offered. */
  get changes(): readonly DefinitionChange[] {
    return this.live && this.record.tools ? definitionChanges(this.record.tools, this.live) : [];
  }

  /** What a yes would be for, at this moment. */
  async asked(): Promise<{ readonly hash: string; readonly files: Readonly<Record<string, string>> }> {
    // The user's own settings say what they want to run, whatever that becomes; changed tools are seen all the same.
    const plan = fillIn(this.config.launch, this.values);
    const files = plan.ok && this.config.origin === 'workspace' && plan.value.kind !== 'http'
      ? await namedFiles(this.deps.folder, [plan.value.command, ...plan.value.args], [plan.value.cwd]) : {};
    return { hash: launchHash(this.config.launch, files), files };
  }

  /** The user said yes to what {@link asked} gave. What an earlier configuration had of tools counts no more. */
  async approve(hash: string): Promise<void> {
    await this.keep({ ...(this.record.enabled === undefined ? {} : { enabled: this.record.enabled }), approved: hash });
    await this.settle();
  }

  /** Of a workspace's server; the user's own are switched in their settings. */
  async switch(enabled: boolean): Promise<void> {
    await this.keep({ ...this.record, enabled });
    if (!enabled) await this.stop();
    await this.settle();
  }

  /** The user has seen {@link changes}. */
  async acceptChanges(seen: readonly DefinitionChange[]): Promise<void> {
    if (!this.live || JSON.stringify(seen) !== JSON.stringify(this.changes)) throw failure('mcp.changed', 'The tools changed again meanwhile.', 'Look at them again.');
    await this.keep({ ...this.record, tools: this.live });
    this.changed.fire();
  }

  /** Undefined: it runs. Cancelled, the start goes on for whoever else waits. */
  start(signal: AbortSignal): Promise<void> | undefined {
    if (this.current.state === 'running') return undefined;
    return orAbort(this.starting ??= this.begin(false).finally(() => { this.starting = undefined; }), signal);
  }

  /** Starts it to learn its tools. A failure is part of the answer. */
  async coldStart(signal: AbortSignal): Promise<ServerStart> {
    const began = this.deps.clock.monotonic();
    const took = (): number => this.deps.clock.monotonic() - began;
    try {
      await this.start(signal);
      return { server: this.config.name, coldMs: took() };
    } catch (thrown) {
      signal.throwIfAborted();
      return { server: this.config.name, coldMs: took(), problem: toError(thrown).message };
    }
  }

  /** Forgets the crashes. */
  async restart(): Promise<void> {
    this.crashes.reset();
    await this.stop();
    await this.settle();
    await this.start(new AbortController().signal);
  }

  async stop(): Promise<void> {
    this.again?.dispose();
    this.stopStart.abort();
    this.stopStart = new AbortController();
    await this.deps.connections.disconnect(this.id);
    this.live = undefined;
  }

  async call(tool: McpTool, args: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<McpCallResult> {
    // Compared with what the server says now: a definition that changed since the prompt was written is another tool.
    const now = this.tools.find(({ name }) => name === tool.name);
    if (now?.identity !== tool.identity) {
      throw failure('mcp.changed', `The tool ${JSON.stringify(tool.name)} of the MCP server ${JSON.stringify(tool.server)} is gone, or is not as it was accepted.`, 'The user can review it with "Loupe: MCP Servers".');
    }
    const result = await this.deps.connections.call(this.id, tool.name, args, this.deps.callMs(), signal);
    signal.throwIfAborted();
    if (!result.ok) throw new LoupeFailure(result.error);
    return result.value;
  }

  /** The connection ended by itself. */
  lost(error: LoupeError): void {
    if (this.current.state !== 'running' || this.disposed) return;
    this.live = undefined;
    this.crashed(error, true);
  }

  /** The server told what tools it has now. */
  async learn(tools: readonly McpToolDefinition[]): Promise<void> {
    this.live = tools;
    if (!this.hasList) await this.keep({ ...this.record, approved: this.hash, tools });
    this.changed.fire();
  }

  dispose(): void {
    this.disposed = true;
    this.again?.dispose();
    this.stopStart.abort();
    void this.deps.connections.disconnect(this.id); // it answers with a value
    this.changed.dispose();
  }

  /** An empty list is none: a server may have had nothing to offer yet. */
  private get hasList(): boolean {
    return (this.record.tools ?? []).length > 0;
  }

  private get values(): VariableValues {
    return { ...this.deps.values, folder: this.deps.folder };
  }

  /** Where it stands when nothing runs. The user's own settings are their yes; a change there is one too, and what is known of tools begins anew. */
  private async settle(): Promise<void> {
    const { hash } = await this.asked();
    this.hash = hash;
    if (!this.enabled) return this.set({ state: 'off' });
    if (this.config.origin === 'user') {
      if (this.record.approved !== undefined && this.record.approved !== hash) this.record = {};
    } else if (this.record.approved !== hash) return this.set({ state: 'asks', changed: this.record.approved !== undefined });
    this.set({ state: 'idle' });
  }

  /** `automatic`: nobody asked for it; it is tried again when it fails. */
  private async begin(automatic: boolean): Promise<void> {
    this.again?.dispose();
    const signal = this.stopStart.signal;
    const plan = await this.mayStart();
    this.set({ state: 'starting' });
    const result = await this.deps.connections.connect(this.id, plan, startWithinMs, signal);
    if (this.disposed || signal.aborted) throw failure('cancelled', 'The start was called off.', '');
    if (!result.ok) {
      this.crashed(result.error, automatic);
      throw new LoupeFailure(result.error);
    }
    this.set({ state: 'running' });
    await this.learn(result.value.tools);
  }

  /** Everything that must be so before anything is started or reached, looked at anew each time. */
  private async mayStart(): Promise<McpLaunchPlan> {
    const { name } = this.config;
    if (!this.deps.trusted()) throw failure('workspace.untrusted', 'This workspace is not trusted, so no MCP server is started.', 'Trust it first.');
    if (this.current.state === 'failed' && this.current.error.code === 'mcp.crashLoop') throw new LoupeFailure(this.current.error);
    await this.settle();
    if (this.current.state === 'off') throw failure('mcp.off', `The MCP server ${JSON.stringify(name)} is switched off.`, 'The user can switch it on with "Loupe: MCP Servers".');
    if (this.current.state === 'asks') throw failure('mcp.notApproved', `The MCP server ${JSON.stringify(name)} was not approved as it is now.`, 'The user can look at it with "Loupe: MCP Servers".');
    const plan = fillIn(this.config.launch, this.values);
    if (!plan.ok) {
      this.set({ state: 'failed', error: plan.error });
      throw new LoupeFailure(plan.error);
    }
    return plan.value;
  }

  private crashed(error: LoupeError, startAgain: boolean): void {
    const wait = this.crashes.crashed();
    if (wait === 'stop' || !startAgain) {
      this.set({ state: 'failed', error: wait === 'stop' ? this.loopError(error) : error });
      return;
    }
    this.set({ state: 'restarting', error });
    this.again = this.deps.timers.after(wait, () => {
      this.starting ??= this.begin(true).finally(() => { this.starting = undefined; });
      this.starting.catch(() => undefined); // its state says so
    });
  }

  private loopError(cause: LoupeError): LoupeError {
    return makeError('mcp.crashLoop', `The MCP server ${JSON.stringify(this.config.name)} ended five times within three minutes, so Loupe stopped starting it.`, 'Look into its log, then restart it with "Loupe: MCP Servers".', cause.message);
  }

  private toolOf({ name, description, inputSchema, hash }: McpToolDefinition): McpTool {
    const { name: server, origin, launch } = this.config;
    const identity = createHash('sha256').update(JSON.stringify([this.deps.folder, server, this.hash, name, hash])).digest('hex');
    return { server, origin, kind: launch.kind, name, description, inputSchema, identity };
  }

  private async keep(record: ServerRecord): Promise<void> {
    this.record = record;
    await this.deps.store.write(this.deps.folder, this.config.name, record);
  }

  private set(state: ServerState): void {
    this.current = state;
    this.changed.fire();
  }
}
