import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { CancellationTokenSource, createMessageConnection, type MessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';
import { allowedEnvironment } from '../../../agent/workspace/childProcess.js';
import { type Disposable, DisposableStore } from '../../../base/disposable.js';
import { type LoupeError, makeError, messageOf } from '../../../base/errors.js';
import { Emitter } from '../../../base/event.js';
import type { Logger } from '../../../base/logger.js';
import { err, type Result } from '../../../base/result.js';
import { type McpCallResult, mcpClientNotifications as told, mcpClientRequests as requests, type McpConnected, type McpLaunchPlan } from '../../../protocol/mcpClient.js';
import type { NotificationType, RequestType } from '../../../protocol/sidecar.js';
import type { McpConnections } from './connections.js';

export interface ClientProcessDeps {
  /** The bundle of the process, and what runs it. */
  readonly module: string;
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logger: Logger;
}

interface Running { readonly child: ChildProcessByStdio<Writable, Readable, Readable>; readonly rpc: MessageConnection; readonly ids: Set<string>; readonly groups: Map<string, number> }

/**
 * The one process that holds this window's connections to MCP servers. Started with the first of them; ends with the window. Should it die, what it had
 * started is ended from here.
 */
export class ClientProcess implements McpConnections, Disposable {
  private readonly disposables = new DisposableStore();
  private readonly closed = this.disposables.add(new Emitter<{ readonly id: string; readonly error: LoupeError }>());
  private readonly tools = this.disposables.add(new Emitter<typeof told.tools extends NotificationType<infer P> ? P : never>());
  private readonly log = this.disposables.add(new Emitter<{ readonly id: string; readonly text: string }>());
  readonly onClosed = this.closed.event;
  readonly onTools = this.tools.event;
  readonly onLog = this.log.event;
  private running: Running | undefined;
  private disposed = false;

  constructor(private readonly deps: ClientProcessDeps) {}

  connect(id: string, launch: McpLaunchPlan, withinMs: number, signal: AbortSignal): Promise<Result<McpConnected>> {
    const running = this.started();
    running.ids.add(id);
    return this.request(running, requests.connect, { id, launch, withinMs }, signal);
  }

  call(id: string, tool: string, args: Readonly<Record<string, unknown>>, withinMs: number, signal: AbortSignal): Promise<Result<McpCallResult>> {
    if (!this.running) return Promise.resolve(err(gone()));
    return this.request(this.running, requests.call, { id, tool, arguments: { ...args }, withinMs }, signal);
  }

  async disconnect(id: string): Promise<void> {
    const { running } = this;
    if (!running?.ids.delete(id)) return;
    const group = running.groups.get(id);
    await this.request(running, requests.disconnect, { id }, new AbortController().signal);
    if (running.groups.get(id) === group) running.groups.delete(id); // else it was started again meanwhile
  }

  get pid(): number | undefined {
    return this.running?.child.pid;
  }

  /** Resolves when the process and its servers have ended. */
  end(): Promise<void> {
    const { running } = this;
    this.disposed = true;
    if (!running || running.child.exitCode !== null) return Promise.resolve();
    running.child.stdin.end(); // it ends its servers, then itself
    return new Promise((resolve) => running.child.once('close', () => resolve()));
  }

  dispose(): void {
    void this.end();
    this.disposables.dispose();
  }

  private started(): Running {
    if (this.running) return this.running;
    // On the desktop this host is Electron, which runs as Node.js only when told to.
    const child = spawn(process.execPath, [this.deps.module, this.deps.version], {
      env: { ...allowedEnvironment(this.deps.env), ELECTRON_RUN_AS_NODE: '1' }, stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true,
    });
    const rpc = createMessageConnection(new StreamMessageReader(child.stdout), new StreamMessageWriter(child.stdin));
    const running: Running = { child, rpc, ids: new Set(), groups: new Map() };
    this.running = running;
    this.listen(running);
    return running;
  }

  private listen(running: Running): void {
    const { child, rpc, ids, groups } = running;
    const { logger } = this.deps;
    const on = <P>({ method }: NotificationType<P>, handle: (params: P) => void): void => void rpc.onNotification(method, handle);
    on(told.started, ({ id, pid }) => groups.set(id, pid));
    on(told.closed, (event) => {
      groups.delete(event.id);
      ids.delete(event.id);
      this.closed.fire(event);
    });
    on(told.tools, (event) => this.tools.fire(event));
    on(told.log, (event) => this.log.fire(event));
    rpc.onError(([error]) => logger.log(this.disposed ? 'debug' : 'error', 'The process of the MCP servers sends what cannot be read', { error: error.message }));
    rpc.listen();
    child.stderr.setEncoding('utf8').on('data', (text: string) => logger.log('info', text.trim()));
    child.stdin.on('error', (error) => logger.log('debug', 'The process of the MCP servers is gone', { error: error.message }));
    child.on('error', (error) => this.lost(running, messageOf(error)));
    child.on('exit', (code, signal) => this.lost(running, signal ?? `exit code ${code}`));
  }

  private lost(running: Running, why: string): void {
    if (this.running !== running) return;
    this.running = undefined;
    running.rpc.dispose();
    for (const pid of running.groups.values()) endGroup(pid, this.deps.logger);
    if (this.disposed) return;
    this.deps.logger.log('warn', 'The process of the MCP servers ended', { why });
    for (const id of running.ids) this.closed.fire({ id, error: gone(why) });
  }

  private async request<P, R>({ rpc }: Running, type: RequestType<P, Result<R>>, params: P, signal: AbortSignal): Promise<Result<R>> {
    if (signal.aborted) return err(cancelled());
    const source = new CancellationTokenSource();
    const cancel = (): void => source.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      return await rpc.sendRequest<Result<R>>(type.method, params, source.token);
    } catch (thrown) {
      return err(signal.aborted ? cancelled() : gone(messageOf(thrown)));
    } finally {
      signal.removeEventListener('abort', cancel);
      source.dispose();
    }
  }
}

const cancelled = (): LoupeError => makeError('cancelled', 'Cancelled.', '');
const gone = (cause?: string): LoupeError => makeError('mcp.ended', 'The process that holds the connections to MCP servers ended.', 'The servers are started again when they are needed.', cause);

/** Processes that their keeper can no longer end. */
function endGroup(pid: number, logger: Logger): void {
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') logger.log('warn', 'An MCP server could not be ended', { pid, error: messageOf(error) });
  }
}
