import type { Server, Socket } from 'node:net';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import { makeError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { err, ok } from '../base/result.js';
import { rpcOver, sameToken, untilHello } from '../model/socketGate.js';
import { type EngineInfo, type ModelRole, protocolVersion, type RoleState, sidecarNotifications, sidecarRequests } from '../protocol/sidecar.js';
import { Client, type ClientServices } from './client.js';
import type { Lifetime } from './lifetime.js';

export interface ServerOptions {
  readonly token: string;
  readonly build: string;
  readonly info: () => Promise<EngineInfo>;
  readonly lifetime: Lifetime;
  readonly logger: Logger;
  readonly services: ClientServices;
}

/** Accepts clients. Nobody gets a word out of it before a hello with the right token. */
export class SidecarServer {
  private readonly clients = new Map<MessageConnection, Client>();

  constructor(server: Server, private readonly options: ServerOptions) {
    server.on('connection', (socket) => this.accept(socket));
  }

  broadcast(role: ModelRole, state: RoleState): void {
    for (const client of this.clients.values()) client.notify(sidecarNotifications.roleState, { role, state });
  }

  private accept(socket: Socket): void {
    const { logger, lifetime } = this.options;
    socket.on('error', (error) => logger.log('info', 'A connection failed', { error: error.message }));
    const rpc = rpcOver(socket);
    const gate = untilHello(socket);
    socket.once('close', () => {
      const client = this.clients.get(rpc);
      this.clients.delete(rpc);
      rpc.dispose();
      if (!client) return;
      client.dispose();
      lifetime.left();
      logger.log('info', 'A client left', { client: client.name, clients: lifetime.count });
    });
    rpc.onError(([error]) => {
      logger.log('warn', 'A client sent something unreadable', { error: error.message });
      socket.destroy();
    });
    rpc.onUnhandledNotification(() => { if (!this.clients.has(rpc)) socket.destroy(); });
    rpc.onRequest(sidecarRequests.hello.method, async (raw: unknown) => {
      const hello = sidecarRequests.hello.params.safeParse(raw);
      if (!hello.success || this.clients.has(rpc) || !sameToken(hello.data.token, this.options.token)) {
        logger.log('warn', 'Refused a client');
        socket.destroy();
        return undefined;
      }
      if (hello.data.protocol !== protocolVersion) {
        return err(makeError('sidecar.protocol', 'The model process is of another version of Loupe.', 'Restart the sidecar.'));
      }
      gate.opened();
      lifetime.joined();
      const client = new Client(hello.data.client, rpc, socket, this.options.services);
      this.clients.set(rpc, client);
      logger.log('info', 'A client came', { client: client.name, clients: lifetime.count });
      return ok({ protocol: protocolVersion, build: this.options.build, pid: process.pid, engine: await this.options.info() });
    });
    // Registered last, this catches every other request that comes before hello.
    rpc.onRequest((method) => {
      if (this.clients.has(rpc)) return err(makeError('sidecar.protocol', `Unknown request ${method}.`, 'Update Loupe.'));
      socket.destroy();
      return undefined;
    });
    rpc.listen();
  }
}

