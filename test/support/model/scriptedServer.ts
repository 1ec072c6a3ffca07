import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SeenRequest { readonly method: string; readonly path: string; readonly headers: IncomingMessage['headers']; readonly body: string }
export type Answer = (request: SeenRequest, response: ServerResponse) => void | Promise<void>;

export interface ScriptedServer {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  readonly port: number;
  readonly requests: SeenRequest[];
  answer: Answer;
  close(): Promise<void>;
}

/** An HTTP server on the loopback interface that does what a test says. */
export async function scriptedServer(answer: Answer): Promise<ScriptedServer> {
  const requests: SeenRequest[] = [];
  const scripted = { answer };
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const seen = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body: Buffer.concat(parts).toString() };
      requests.push(seen);
      void scripted.answer(seen, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(scripted, {
    origin: `http://127.0.0.1:${port}`, port, requests,
    close: () => new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  });
}

export function json(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

/** Server-sent events; strings are sent as they are, everything else as JSON data. `[DONE]` is up to the caller. */
export function events(response: ServerResponse, list: readonly unknown[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const event of list) response.write(typeof event === 'string' ? event : `data: ${JSON.stringify(event)}\n\n`);
  response.end();
}

export const done = 'data: [DONE]\n\n';
export const delta = (content: string): unknown => ({ choices: [{ index: 0, delta: { content }, finish_reason: null }] });
export const finish = (reason: string): unknown => ({ choices: [{ index: 0, delta: {}, finish_reason: reason }] });
export const callDelta = (...pieces: readonly unknown[]): unknown => ({ choices: [{ index: 0, delta: { tool_calls: pieces }, finish_reason: null }] });
