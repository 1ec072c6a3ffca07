import { connect, type Socket } from 'node:net';
import type { CancellationToken, Disposable as RpcDisposable, MessageConnection } from 'vscode-jsonrpc/node';
import { Emitter } from '../../base/event.js';
import { type LoupeError, makeError, messageOf } from '../../base/errors.js';
import { err, type Result } from '../../base/result.js';
import {
  type HelloResult, type ModelRole, type NotificationType, protocolVersion, type RequestType, type RoleState, sidecarNotifications, sidecarRequests,
} from '../../protocol/sidecar.js';
import type { GenerateHandlers } from '../engine.js';
import { rpcOver } from '../socketGate.js';
import type { SidecarAddress } from './stateFiles.js';

type Request<P, R> = RequestType<P, Result<R>>;

/** One authenticated connection to a sidecar. Every failure is a value; a request whose connection breaks gives `sidecar.crashed`. */
export class SidecarConnection {
  private readonly closeEmitter = new Emitter<void>();
  private readonly roleEmitter = new Emitter<{ readonly role: ModelRole; readonly state: RoleState }>();
  private readonly running = new Map<string, GenerateHandlers>();
  private closed = false;
  readonly onClose = this.closeEmitter.event;
  readonly onRoleState = this.roleEmitter.event;

  private constructor(private readonly rpc: MessageConnection, private readonly socket: Socket, readonly hello: HelloResult) {
    this.listen(sidecarNotifications.delta, (p) => this.running.get(p.id)?.onDelta?.(p));
    this.listen(sidecarNotifications.progress, (p) => this.running.get(p.id)?.onProgress?.(p));
    this.listen(sidecarNotifications.roleState, (p) => this.roleEmitter.fire(p));
    socket.once('close', () => this.end());
    if (socket.destroyed) queueMicrotask(() => this.end());
  }

  /**
   * Connects and says hello. Undefined when nobody there proves to be the process that wrote the address; rejects when
   * `timeoutMs` pass without an answer.
   */
  static async open(address: SidecarAddress, client: string, build: string, timeoutMs: number): Promise<Result<SidecarConnection> | 'refused' | 'silent'> {
    const socket = connect(address.socket);
    const refused = new Promise<'refused'>((resolve) => {
      socket.on('error', () => resolve('refused')); // stays: a socket without it would throw
      socket.once('close', () => resolve('refused'));
    });
    let timer: NodeJS.Timeout | undefined;
    const silent = new Promise<'silent'>((resolve) => { timer = setTimeout(() => resolve('silent'), timeoutMs); });
    const rpc = rpcOver(socket);
    rpc.onError(() => socket.destroy());
    rpc.listen();
    try {
      const params = { token: address.token, protocol: protocolVersion, client, build };
      const hello = rpc.sendRequest<Result<HelloResult>>(sidecarRequests.hello.method, params).catch(() => 'refused' as const);
      const answer = await Promise.race([hello, refused, silent]);
      if (typeof answer === 'string' || !answer.ok || answer.value.pid !== address.pid) {
        rpc.dispose();
        socket.destroy();
        if (typeof answer === 'string') return answer;
        return answer.ok ? 'refused' : answer;
      }
      return { ok: true, value: new SidecarConnection(rpc, socket, answer.value) };
    } finally {
      clearTimeout(timer);
    }
  }

  get isClosed(): boolean {
    return this.closed || this.socket.destroyed;
  }

  async request<P, R>(type: Request<P, R>, params: P, signal?: AbortSignal): Promise<Result<R>> {
    if (this.closed) return err(crashed());
    if (signal?.aborted) return err(makeError('cancelled', 'Cancelled.', 'Ask again when you are ready.'));
    let cancel: RpcDisposable | undefined;
    try {
      const token = signal ? tokenOf(signal) : undefined;
      cancel = token?.disposable;
      return token
        ? await this.rpc.sendRequest<Result<R>>(type.method, params, token.token)
        : await this.rpc.sendRequest<Result<R>>(type.method, params);
    } catch (thrown) {
      return err(this.isClosed ? crashed(thrown) : broken(thrown));
    } finally {
      cancel?.dispose();
    }
  }

  /** A request that reports while it runs. Its `id` must be new. */
  async stream<P extends { readonly id: string }, R>(type: Request<P, R>, params: P, handlers: GenerateHandlers, signal: AbortSignal): Promise<Result<R>> {
    this.running.set(params.id, handlers);
    try {
      return await this.request(type, params, signal);
    } finally {
      this.running.delete(params.id);
    }
  }

  close(): void {
    this.socket.destroy();
    this.end();
  }

  private listen<P>(type: NotificationType<P>, handler: (params: P) => void): void {
    this.rpc.onNotification(type.method, handler);
  }

  private end(): void {
    if (this.closed) return;
    this.closed = true;
    this.rpc.dispose();
    this.closeEmitter.fire();
    this.closeEmitter.dispose();
    this.roleEmitter.dispose();
  }
}

const crashed = (cause?: unknown): LoupeError =>
  makeError('sidecar.crashed', 'The model process ended while it worked.', 'Ask again: Loupe starts it anew.', cause);

const broken = (cause: unknown): LoupeError =>
  makeError('sidecar.protocol', `The model process answered in an unknown way: ${messageOf(cause)}`, 'Restart the sidecar; if that does not help, reinstall Loupe.', cause);

/** An abort signal as the RPC library's cancellation token: aborting sends one `$/cancelRequest`. */
function tokenOf(signal: AbortSignal): { token: CancellationToken; disposable: RpcDisposable } {
  const listeners = new Set<(e: unknown) => unknown>();
  const fire = (): void => { for (const listener of [...listeners]) listener(undefined); };
  signal.addEventListener('abort', fire, { once: true });
  const token: CancellationToken = {
    get isCancellationRequested() { return signal.aborted; },
    onCancellationRequested: (listener: (e: unknown) => unknown): RpcDisposable => {
      listeners.add(listener);
      return { dispose: () => listeners.delete(listener) };
    },
  };
  return { token, disposable: { dispose: () => { listeners.clear(); signal.removeEventListener('abort', fire); } } };
}
