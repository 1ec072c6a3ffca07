import type { Socket } from 'node:net';
import type { CancellationToken, MessageConnection } from 'vscode-jsonrpc/node';
import { type LoupeError, makeError, toError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { err, ok, type Result } from '../base/result.js';
import { type ModelRole, type NotificationType, type ProgressPhase, type RequestType, sidecarNotifications, sidecarRequests, type SidecarStatus } from '../protocol/sidecar.js';
import type { LlamaEngine } from './engine/llamaEngine.js';

export interface ClientServices {
  readonly engine: LlamaEngine;
  readonly status: () => Promise<SidecarStatus>;
  readonly shutdown: () => void;
  readonly now: () => number;
  readonly logger: Logger;
}

/** A client that takes no more than this many unsent bytes is stuck, and is dropped. */
const longestBacklog = 32 * 1024 * 1024;

/** One authenticated client: its requests, and what is cancelled when it goes. */
export class Client {
  private readonly gone = new AbortController();
  private completion: AbortController | undefined;

  constructor(readonly name: string, private readonly rpc: MessageConnection, private readonly socket: Socket, private readonly services: ClientServices) {
    const { engine } = services;
    this.handle(sidecarRequests.ping, () => Promise.resolve({ at: services.now() }));
    this.handle(sidecarRequests.status, () => services.status());
    this.handle(sidecarRequests.load, (params, signal) => engine.load(params, signal));
    this.handle(sidecarRequests.unload, async ({ role }) => {
      await engine.unload(role);
      return null;
    });
    this.handle(sidecarRequests.generate, (params, signal) =>
      this.newestCompletion(params.role, signal, (newest) => engine.generate(params, this.events(params.id), newest)));
    this.handle(sidecarRequests.probe, (params, signal) =>
      this.newestCompletion(params.role, signal, (newest) => engine.probe(params, this.events(params.id), newest)));
    this.handle(sidecarRequests.tokenize, (params) => Promise.resolve({ tokens: engine.tokenize(params.role, params.segments) }));
    this.handle(sidecarRequests.remember, (params, signal) => engine.remember(params, this.events(params.id), signal));
    this.handle(sidecarRequests.restore, (params, signal) => engine.restore(params, this.events(params.id), signal));
    this.handle(sidecarRequests.prefill, (params, signal) => engine.prefill(params, signal));
    this.handle(sidecarRequests.memories, () => engine.memories());
    this.handle(sidecarRequests.forget, ({ memory }) => engine.forget(memory));
    this.handle(sidecarRequests.memoryBudget, ({ bytes }) => engine.setMemoryBudget(bytes));
    this.handle(sidecarRequests.audit, ({ role }) => engine.audit(role));
    this.handle(sidecarRequests.shutdown, () => {
      setImmediate(services.shutdown);
      return Promise.resolve(null);
    });
  }

  notify<P>(type: NotificationType<P>, params: P): void {
    if (this.socket.destroyed) return;
    if (this.socket.writableLength > longestBacklog) {
      this.services.logger.log('warn', 'A client does not read any more; dropping it', { client: this.name });
      this.socket.destroy();
      return;
    }
    this.rpc.sendNotification(type.method, params).catch((thrown: unknown) => {
      this.services.logger.log('info', 'A message could not be delivered', { client: this.name, error: String(thrown) });
    });
  }

  dispose(): void {
    this.gone.abort();
  }

  /** A completion is worth nothing once the next one is asked for. */
  private async newestCompletion<T>(role: ModelRole, signal: AbortSignal, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (role !== 'completion') return run(signal);
    this.completion?.abort();
    const own = new AbortController();
    this.completion = own;
    try {
      return await run(AbortSignal.any([signal, own.signal]));
    } finally {
      if (this.completion === own) this.completion = undefined;
    }
  }

  private events(id: string) {
    return {
      onText: (text: string, tokensOut: number): void => this.notify(sidecarNotifications.delta, { id, text, tokensOut }),
      onProgress: (phase: ProgressPhase, done: number, total: number): void =>
        this.notify(sidecarNotifications.progress, { id, phase, done, total }),
    };
  }

  private handle<P, R>(type: RequestType<P, Result<R>>, run: (params: P, signal: AbortSignal) => Promise<R>): void {
    this.rpc.onRequest(type.method, async (raw: unknown, token: CancellationToken): Promise<Result<R>> => {
      const parsed = type.params.safeParse(raw);
      if (!parsed.success) {
        return err(makeError('sidecar.protocol', `The request ${type.method} is malformed.`, 'Restart the sidecar; if that does not help, reinstall Loupe.', parsed.error.message));
      }
      const cancelled = new AbortController();
      token.onCancellationRequested(() => cancelled.abort());
      try {
        return ok(await run(parsed.data, AbortSignal.any([cancelled.signal, this.gone.signal])));
      } catch (thrown) {
        return err(this.report(type.method, toError(thrown)));
      }
    });
  }

  private report(method: string, error: LoupeError): LoupeError {
    const expected = error.code !== 'internal';
    this.services.logger.log(expected ? 'info' : 'error', 'A request failed', { client: this.name, method, code: error.code, message: error.message, cause: error.cause });
    return error;
  }
}
