import { connect, type Socket } from 'node:net';
import { CancellationTokenSource, type MessageConnection } from 'vscode-jsonrpc/node';
import { rpcOver } from '../../model/socketGate.js';
import { findWindow, type WindowAddress } from '../../agent/window/windowAddress.js';
import { failure, LoupeFailure } from '../../base/errors.js';
import type { Result } from '../../base/result.js';
import type { RequestType } from '../../protocol/sidecar.js';
import { windowProtocolVersion, windowRequests } from '../../protocol/window.js';

const helloWithinMs = 5_000;

interface Open { readonly rpc: MessageConnection; readonly socket: Socket; closed: boolean }

/**
 * Requests to the window that has a folder open. The connection is made when it is needed and made anew after a reload of the
 * window, whose address changes. Failures are thrown as LoupeFailure: `workspace.none` when no window has the folder open.
 */
export class WindowClient {
  private opening: Promise<Open> | undefined;

  constructor(private readonly stateDir: string, readonly folder: string) {}

  async request<P, R>(type: RequestType<P, Result<R>>, params: P, signal: AbortSignal): Promise<R> {
    signal.throwIfAborted();
    const connection = await this.connection();
    const source = new CancellationTokenSource();
    const cancel = (): void => source.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      const result = await connection.rpc.sendRequest<Result<R>>(type.method, params, source.token);
      if (result.ok) return result.value;
      throw new LoupeFailure(result.error);
    } catch (thrown) {
      signal.throwIfAborted();
      if (thrown instanceof LoupeFailure) throw thrown;
      throw failure('workspace.none', `The window of ${this.folder} was closed or reloaded.`, 'Try again.', thrown);
    } finally {
      signal.removeEventListener('abort', cancel);
      source.dispose();
    }
  }

  dispose(): void {
    void this.opening?.then(({ socket }) => socket.destroy(), () => undefined); // a connection that failed has nothing to close
    this.opening = undefined;
  }

  private async connection(): Promise<Open> {
    const known = await this.opening?.catch(() => undefined); // a failed attempt is made anew
    if (known && !known.closed) return known;
    this.opening = this.open();
    return this.opening;
  }

  private async open(): Promise<Open> {
    const address = await findWindow(this.stateDir, this.folder);
    if (!address) {
      throw failure('workspace.none', `No window of VS Code offers ${this.folder}.`, 'Open that folder in VS Code with Loupe, trust it, and keep the setting loupe.mcp.server.enabled on.');
    }
    const socket = connect(address.socket);
    const refused = new Promise<'refused'>((resolve) => {
      socket.on('error', () => resolve('refused')); // stays: a socket without it would throw
      socket.once('close', () => resolve('refused'));
    });
    const rpc = rpcOver(socket);
    rpc.onError(() => socket.destroy());
    rpc.listen();
    const open: Open = { rpc, socket, closed: false };
    socket.once('close', () => {
      open.closed = true;
      rpc.dispose();
    });
    let answer;
    try {
      answer = await Promise.race([this.hello(rpc, address), refused, late()]);
      if (answer === 'ready') return open;
    } finally {
      if (answer !== 'ready') socket.destroy();
    }
    throw failure('workspace.none', `The window of ${this.folder} does not answer (${answer}).`, 'Reload the window, or restart VS Code.');
  }

  private async hello(rpc: MessageConnection, { token }: WindowAddress): Promise<'ready' | 'refused'> {
    try {
      const result = await rpc.sendRequest<Result<{ protocol: number }>>(windowRequests.hello.method, { token, protocol: windowProtocolVersion, folder: this.folder });
      if (result.ok) return 'ready';
      throw new LoupeFailure(result.error);
    } catch (thrown) {
      if (thrown instanceof LoupeFailure) throw thrown;
      return 'refused';
    }
  }
}

function late(): Promise<'silent'> {
  return new Promise((resolve) => {
    setTimeout(() => resolve('silent'), helloWithinMs).unref();
  });
}
