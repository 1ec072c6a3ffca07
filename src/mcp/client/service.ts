import { CancellationTokenSource, type MessageConnection } from 'vscode-jsonrpc/node';
import { makeError, toError } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import { err, ok, type Result } from '../../base/result.js';
import { mcpClientNotifications as told, mcpClientRequests as requests } from '../../protocol/mcpClient.js';
import type { NotificationType, RequestType } from '../../protocol/sidecar.js';
import { ServerConnection } from './connection.js';
import { ServerLog } from './serverLog.js';

interface Held { readonly stop: AbortController; readonly opening: Promise<ServerConnection | undefined> }

/** Answers a window's requests about its MCP servers. Each server fails alone: what one does is an answer about that one. */
export class ClientService {
  private readonly servers = new Map<string, Held>();

  constructor(private readonly rpc: MessageConnection, private readonly version: string, private readonly logger: Logger) {
    this.answer(requests.connect, async ({ id, launch, withinMs }, signal) => {
      await this.end(id);
      const stop = new AbortController();
      const log = new ServerLog((text) => this.tell(told.log, { id, text }));
      const opening = ServerConnection.open(launch, { version: this.version, withinMs }, {
        log,
        started: (pid) => this.tell(told.started, { id, pid }),
        closed: (error) => {
          log.flush();
          if (this.servers.get(id) === held) this.servers.delete(id);
          this.tell(told.closed, { id, error });
        },
        tools: (tools) => this.tell(told.tools, { id, tools }),
      }, AbortSignal.any([stop.signal, signal]));
      const held: Held = { stop, opening: opening.then(({ connection }) => connection, () => undefined) }; // its failure is the answer below
      this.servers.set(id, held);
      try {
        return ok((await opening).connected);
      } catch (thrown) {
        log.flush();
        if (this.servers.get(id) === held) this.servers.delete(id);
        throw thrown;
      }
    });
    this.answer(requests.call, async ({ id, tool, arguments: args, withinMs }, signal) => {
      const connection = await this.servers.get(id)?.opening;
      if (!connection) return err(makeError('mcp.ended', 'The server is not running.', 'Restart it.'));
      return ok(await connection.call(tool, args, withinMs, signal));
    });
    this.answer(requests.disconnect, async ({ id }) => {
      await this.end(id);
      return ok(null);
    });
  }

  /** Ends every server with all that it started. */
  async close(): Promise<void> {
    await Promise.all([...this.servers.keys()].map((id) => this.end(id)));
  }

  private async end(id: string): Promise<void> {
    const held = this.servers.get(id);
    this.servers.delete(id);
    held?.stop.abort();
    await (await held?.opening)?.close();
  }

  private answer<P, R>({ method, params }: RequestType<P, Result<R>>, handle: (params: P, signal: AbortSignal) => Promise<Result<R>>): void {
    this.rpc.onRequest(method, async (raw: unknown, token: CancellationTokenSource['token']): Promise<Result<R>> => {
      const controller = new AbortController();
      const listening = token.onCancellationRequested(() => controller.abort());
      try {
        return await handle(params.parse(raw), controller.signal);
      } catch (thrown) {
        return err(toError(thrown));
      } finally {
        listening.dispose();
      }
    });
  }

  private tell<P>({ method }: NotificationType<P>, params: P): void {
    this.rpc.sendNotification(method, params).catch((error: unknown) => this.logger.log('warn', 'The window does not listen', { method, error: String(error) }));
  }
}
