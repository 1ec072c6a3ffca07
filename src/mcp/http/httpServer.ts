import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import { refusal } from './guard.js';

export interface HttpDeps {
  readonly token: string;
  /** A session of its own for every client. */
  readonly session: () => McpServer;
  readonly newId: () => string;
  readonly logger: Logger;
}

/** A client that went without saying so leaves its session behind. */
const idleMs = 3_600_000;
const mostSessions = 64;

interface Session { readonly transport: StreamableHTTPServerTransport; readonly server: McpServer; usedAt: number; requests: number }

/** Streamable HTTP on the loopback interface. Every request is checked by `guard.ts` before anything else is read of it. */
export class HttpServer {
  private readonly sessions = new Map<string, Session>();
  private readonly sweeper: NodeJS.Timeout;

  private constructor(private readonly server: Server, private readonly deps: HttpDeps) {
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.answer(request, response).catch((error: unknown) => {
        deps.logger.log('error', 'A request failed', { error: messageOf(error) });
        if (response.headersSent) response.destroy();
        else refuse(response, 500, 'Internal error');
      });
    });
    this.sweeper = setInterval(() => this.sweep(), 60_000).unref();
  }

  /** Listens on `port`, or where that is taken, or 0, on any that is free. */
  static async listen(port: number, deps: HttpDeps): Promise<HttpServer> {
    const server = createServer();
    try {
      await bind(server, port);
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException;
      if (port === 0 || (code !== 'EADDRINUSE' && code !== 'EACCES')) throw thrown;
      await bind(server, 0);
    }
    return new HttpServer(server, deps);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    clearInterval(this.sweeper);
    await Promise.all([...this.sessions.values()].map(({ server }) => server.close()));
    this.sessions.clear();
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refused = refusal(request, this.port, this.deps.token);
    if (refused) {
      this.deps.logger.log('warn', 'Refused a request', { status: refused.status, origin: String(request.headers.origin).slice(0, 100) });
      refuse(response, refused.status, refused.message);
      return;
    }
    const id = request.headers['mcp-session-id'];
    const session = id === undefined ? await this.begin() : this.sessions.get(String(id));
    if (!session) {
      if (id === undefined) refuse(response, 503, 'Too many sessions are open.');
      else refuse(response, 404, 'Session not found');
      return;
    }
    session.usedAt = Date.now();
    session.requests += 1;
    response.once('close', () => {
      session.requests -= 1;
      session.usedAt = Date.now();
    });
    await session.transport.handleRequest(request, response);
    // Anything but a proper initialize leaves a session that nobody can name.
    if (id === undefined && session.transport.sessionId === undefined) await session.server.close();
  }

  private async begin(): Promise<Session | undefined> {
    if (this.sessions.size >= mostSessions) this.sweep();
    if (this.sessions.size >= mostSessions) return undefined;
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: this.deps.newId,
      onsessioninitialized: (id) => {
        this.sessions.set(id, session);
      },
      onsessionclosed: (id) => {
        this.sessions.delete(id);
      },
    });
    const server = this.deps.session();
    const session: Session = { transport, server, usedAt: Date.now(), requests: 0 };
    await server.connect(transport);
    return session;
  }

  /** Ends sessions that have been idle for long and wait for nothing. */
  private sweep(): void {
    const now = Date.now();
    for (const [id, { usedAt, requests, server }] of this.sessions) {
      if (requests > 0 || now - usedAt < idleMs) continue;
      this.sessions.delete(id);
      server.close().catch((error: unknown) => this.deps.logger.log('warn', 'A session could not be closed', { error: messageOf(error) }));
    }
  }
}

function bind(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** As the protocol writes errors that belong to no request. */
function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json', ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}), connection: 'close' });
  response.end(JSON.stringify({ jsonrpc: '2.0', error: { code: -32_000, message }, id: null }));
}
