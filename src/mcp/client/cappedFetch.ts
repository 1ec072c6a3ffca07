import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import { failure, type LoupeError, makeError } from '../../base/errors.js';
import { isLoopback } from '../../model/loopback.js';
import { mcpLimits } from '../../protocol/mcpClient.js';

/** The address of a server: https, or http on this machine. Anything else would send what the model says, and headers with keys, for all to read. */
export function serverAddress(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url)))) {
    throw failure('mcp.configuration', `${JSON.stringify(text)} is no address for an MCP server.`, 'Use https, or http on this machine.');
  }
  if (url.username !== '' || url.password !== '') throw failure('mcp.configuration', 'The address of the server holds a name or a password.', 'Put a header with them into the settings.');
  return url;
}

/** `fetch` to one origin, whose answers are cut off before they are parsed where they, or one event of a stream, are too long; `onTooMuch` is told then. */
export function cappedFetch(server: URL, onTooMuch: (error: LoupeError) => void): FetchLike {
  return async (input, init) => {
    const url = new URL(input);
    if (url.origin !== server.origin) throw failure('mcp.unreachable', `The server refers to ${url.origin}, which was not approved.`, 'Put that address into the settings if you trust it.');
    const response = await fetch(url, { ...init, redirect: 'manual' });
    if (response.body === null) return response;
    const events = /^text\/event-stream\b/i.test(response.headers.get('content-type') ?? '');
    const capped = response.body.pipeThrough(new TransformStream<Uint8Array, Uint8Array>(new ByteCap(events, onTooMuch)));
    return new Response(capped, { status: response.status, statusText: response.statusText, headers: response.headers });
  };
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

class ByteCap {
  private size = 0;
  private lineIsEmpty = true;

  constructor(private readonly events: boolean, private readonly onTooMuch: (error: LoupeError) => void) {}

  transform(chunk: Uint8Array, controller: TransformStreamDefaultController<Uint8Array>): void {
    if (this.events) this.countEvents(chunk);
    else this.size += chunk.length;
    if (this.size > mcpLimits.message) {
      const error = makeError('mcp.tooMuch', `The server sent a message of more than ${mcpLimits.message / 1024 / 1024} MB; the connection was closed.`, 'Ask the server for less, or report it to its author.');
      this.onTooMuch(error);
      controller.error(new Error(error.message));
      return;
    }
    controller.enqueue(chunk);
  }

  /** An event ends with an empty line: what counts is the longest between two of them. */
  private countEvents(chunk: Uint8Array): void {
    for (const byte of chunk) {
      if (this.size > mcpLimits.message) return;
      if (byte === carriageReturn) continue;
      if (byte !== lineFeed) {
        this.size += 1;
        this.lineIsEmpty = false;
      } else if (this.lineIsEmpty) this.size = 0;
      else this.lineIsEmpty = true;
    }
  }
}
