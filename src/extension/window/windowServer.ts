import { randomBytes } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import type { CancellationToken, MessageConnection } from 'vscode-jsonrpc/node';
import { removeWindowAddress, type WindowAddress, writeWindowAddress } from '../../agent/window/windowAddress.js';
import { type LoupeError, makeError, toError } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import { err, ok, type Result } from '../../base/result.js';
import { listenOnFreeName } from '../../model/localSocket.js';
import { ensureStateDir } from '../../model/sidecar/stateFiles.js';
import { rpcOver, sameToken, untilHello } from '../../model/socketGate.js';
import type { RequestType } from '../../protocol/sidecar.js';
import { windowProtocolVersion, windowRequests } from '../../protocol/window.js';

type Requests = Omit<typeof windowRequests, 'hello'>;
type ParamsOf<T> = T extends RequestType<infer P, unknown> ? P : never;
type ValueOf<T> = T extends RequestType<never, Result<infer R>> ? R : T extends { readonly __result?: Result<infer R> } ? R : never;

/** What a window answers for one folder; each method as its request says. Failures are thrown as LoupeFailure. */
export type WindowService = { readonly [K in keyof Requests]: (params: ParamsOf<Requests[K]>, signal: AbortSignal) => Promise<ValueOf<Requests[K]>> };

export interface WindowServerDeps {
  readonly stateDir: string;
  /** The service of an open folder by its real path; undefined for any other. Asked at every request: a folder may be closed. */
  readonly service: (folder: string) => WindowService | undefined;
  /** Asked at every request: an answer from a workspace that is not trusted, or not offered any more, is none. */
  readonly allowed: () => boolean;
  readonly logger: Logger;
}

const mostConnections = 32;

/**
 * Answers programs of the same user about this window's folders, over a local socket. Nobody gets a word out of it before a hello with
 * the right token, which stands in a file that this user alone can read.
 */
export class WindowServer {
  private readonly token = randomBytes(32).toString('hex');
  private readonly sockets = new Set<Socket>();
  private addresses: readonly WindowAddress[] = [];
  private socketName = '';

  private constructor(private readonly server: Server, private readonly deps: WindowServerDeps) {
    server.maxConnections = mostConnections;
    server.on('connection', (socket) => this.accept(socket));
  }

  static async start(deps: WindowServerDeps): Promise<WindowServer> {
    await ensureStateDir(deps.stateDir);
    const started = new WindowServer(createServer(), deps);
    started.socketName = await listenOnFreeName(started.server, deps.stateDir, 'window');
    return started;
  }

  /** Says where the server is for exactly these folders; real paths. */
  async offer(folders: readonly string[]): Promise<void> {
    for (const address of this.addresses) if (!folders.includes(address.folder)) removeWindowAddress(this.deps.stateDir, address);
    this.addresses = folders.map((folder) => ({ socket: this.socketName, token: this.token, pid: process.pid, folder }));
    for (const address of this.addresses) await writeWindowAddress(this.deps.stateDir, address);
  }

  /** Hangs up on everyone: what they asked for is cancelled. */
  dispose(): void {
    for (const address of this.addresses) removeWindowAddress(this.deps.stateDir, address);
    this.addresses = [];
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private accept(socket: Socket): void {
    const { logger } = this.deps;
    this.sockets.add(socket);
    socket.on('error', (error) => logger.log('info', 'A connection to this window failed', { error: error.message }));
    const rpc = rpcOver(socket);
    const gone = new AbortController();
    let welcome = false;
    const gate = untilHello(socket);
    socket.once('close', () => {
      this.sockets.delete(socket);
      gone.abort();
      rpc.dispose();
    });
    rpc.onError(() => socket.destroy());
    rpc.onUnhandledNotification(() => { if (!welcome) socket.destroy(); });
    rpc.onRequest(windowRequests.hello.method, async (raw: unknown): Promise<Result<{ protocol: number }> | undefined> => {
      const hello = windowRequests.hello.params.safeParse(raw);
      if (!hello.success || welcome || !this.deps.allowed() || !sameToken(hello.data.token, this.token)) {
        logger.log('warn', 'Refused a connection to this window');
        socket.destroy();
        return undefined;
      }
      if (hello.data.protocol !== windowProtocolVersion) return err(makeError('workspace.none', 'The window runs another version of Loupe.', 'Restart this server.'));
      const { folder } = hello.data;
      if (!this.deps.service(folder)) return err(notOpen());
      welcome = true;
      gate.opened();
      this.serve(rpc, folder, gone.signal);
      return ok({ protocol: windowProtocolVersion });
    });
    // Registered before any service, this catches every other request that comes before hello.
    rpc.onRequest((method) => {
      if (welcome) return err(makeError('internal', `Unknown request ${method}.`, 'Update Loupe.'));
      socket.destroy();
      return undefined;
    });
    rpc.listen();
  }

  private serve(rpc: MessageConnection, folder: string, gone: AbortSignal): void {
    const { hello: _, ...requests } = windowRequests;
    for (const [name, type] of Object.entries(requests)) {
      rpc.onRequest(type.method, async (raw: unknown, cancellation: CancellationToken): Promise<Result<unknown>> => {
        if (!this.deps.allowed()) return err(makeError('workspace.untrusted', 'This workspace is not offered any more.', 'Look at the window.'));
        const service = this.deps.service(folder);
        if (!service) return err(notOpen());
        const parsed = (type as RequestType<unknown, unknown>).params.safeParse(raw);
        if (!parsed.success) return err(makeError('tool.badArguments', `The request ${name} is malformed.`, 'Correct it.', parsed.error.message));
        const cancelled = new AbortController();
        cancellation.onCancellationRequested(() => cancelled.abort());
        try {
          const run = service[name as keyof Requests] as (params: unknown, signal: AbortSignal) => Promise<unknown>;
          const answer = await run(parsed.data, AbortSignal.any([cancelled.signal, gone]));
          // It may have taken as long as the user, or until something changed.
          return this.deps.allowed() && this.deps.service(folder) === service ? ok(answer) : err(notOpen());
        } catch (thrown) {
          const error = toError(thrown);
          if (error.code === 'internal') this.deps.logger.log('error', 'A request to this window failed', { request: name, message: error.message, cause: error.cause });
          const { cause: __, ...told } = error; // a stack trace is for the log
          return err(told);
        }
      });
    }
  }
}

const notOpen = (): LoupeError => makeError('workspace.none', 'That folder is not open in the window any more.', 'Open it again.');

