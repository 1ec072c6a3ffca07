import { type LoupeError, LoupeFailure, failure, isAbort, makeError, messageOf } from '../../base/errors.js';

export type Fetch = typeof globalThis.fetch;

export interface EndpointHttpOptions {
  readonly apiKey?: string;
  readonly fetch?: Fetch;
}

const maximumRedirects = 3;
const maximumErrorBytes = 64 * 1024;

/** Requests to one endpoint. Failures are thrown as LoupeFailure, an aborted signal as AbortError. */
export class EndpointHttp {
  private readonly fetch: Fetch;

  constructor(private readonly options: EndpointHttpOptions) {
    this.fetch = options.fetch ?? globalThis.fetch;
  }

  /** The response, when its status says success. */
  async request(url: URL, body: unknown, signal: AbortSignal): Promise<Response> {
    let target = url;
    for (let hop = 0; ; hop++) {
      const response = await this.send(target, body, signal);
      if (response.status < 300 || response.status >= 400) {
        if (response.ok) return response;
        throw new LoupeFailure(await this.httpError(response, target));
      }
      await response.body?.cancel();
      const to = redirectTarget(response, target);
      // The key and the prompt were meant for the host that the user named, and for no other.
      if (!to || to.origin !== url.origin) {
        throw failure('endpoint.badResponse', `The endpoint ${url.host} redirects to ${to?.host ?? 'nowhere'}, which Loupe does not follow.`,
          'Set loupe.endpoint.url to the final address if you trust it.');
      }
      if (hop >= maximumRedirects) throw failure('endpoint.badResponse', `The endpoint ${url.host} redirects in a circle.`, 'Check loupe.endpoint.url.');
      target = to;
    }
  }

  /** Parsed JSON of at most `limit` bytes. */
  async json(url: URL, body: unknown, signal: AbortSignal, limit = 4 * 1024 * 1024): Promise<unknown> {
    const response = await this.request(url, body, signal);
    const text = await readText(response, limit);
    if (text === undefined) throw nonsense(url, 'it answered with far too much data');
    return parseJson(text, url, response.headers.get('content-type'));
  }

  private async send(url: URL, body: unknown, signal: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = { accept: 'application/json, text/event-stream' };
    if (this.options.apiKey) headers['authorization'] = `Bearer ${this.options.apiKey}`;
    if (body !== undefined) headers['content-type'] = 'application/json';
    try {
      return await this.fetch(url, {
        method: body === undefined ? 'GET' : 'POST', headers, signal, redirect: 'manual',
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (thrown) {
      if (signal.aborted || isAbort(thrown)) throw thrown;
      throw new LoupeFailure(connectionError(url, thrown));
    }
  }

  private async httpError(response: Response, url: URL): Promise<LoupeError> {
    const text = await readText(response, maximumErrorBytes) ?? '';
    const said = saidError(text);
    const detail = said.message ? ` It says: ${said.message}` : '';
    const { status } = response;
    if (status === 401 || status === 403) {
      return makeError('endpoint.unauthorized', `The endpoint ${url.host} refuses the request (${status}): ${this.options.apiKey ? 'the API key is wrong or may not use this model' : 'it wants an API key'}.`,
        'Set the key with "Loupe: Set Endpoint API Key".', said.message);
    }
    const overflow = overflowError(said);
    if (overflow) return overflow;
    const next = status === 404 ? 'Check loupe.endpoint.url, which usually ends in /v1, and loupe.endpoint.model.'
      : status === 429 ? 'Wait a moment, then try again.'
        : status === 503 ? 'The server may still be loading its model: wait a moment, then try again.'
          : status >= 500 ? 'Look into the log of the server, then try again.' : 'Check loupe.endpoint.model and the settings of the server.';
    return makeError('endpoint.httpError', `The endpoint ${url.host} answered with status ${status}.${detail}`, next, text.slice(0, 2000), { status });
  }
}

/** What an error object in a response or a stream says, cut to a sentence's length and free of control characters. */
export interface SaidError { readonly message: string; readonly type: string; readonly promptTokens?: number; readonly contextSize?: number }

export function saidError(source: unknown): SaidError {
  let value: unknown = source;
  if (typeof source === 'string') {
    try {
      value = JSON.parse(source);
    } catch {
      return { message: /<html|<!doctype/i.test(source) ? '' : clean(source), type: '' };
    }
  }
  const outer = record(value);
  const inner = typeof outer['error'] === 'string' ? { message: outer['error'] } : record(outer['error'] ?? outer);
  const count = (name: string): number | undefined => (typeof inner[name] === 'number' ? inner[name] : undefined);
  const promptTokens = count('n_prompt_tokens');
  const contextSize = count('n_ctx');
  return {
    message: clean(typeof inner['message'] === 'string' ? inner['message'] : typeof inner['detail'] === 'string' ? inner['detail'] : ''),
    type: `${text(inner['type'])} ${text(inner['code'])}`,
    ...(promptTokens === undefined ? {} : { promptTokens }), ...(contextSize === undefined ? {} : { contextSize }),
  };
}

/** A prompt that is longer than the context, as llama.cpp and as OpenAI and vLLM say it. */
export function overflowError(said: SaidError): LoupeError | undefined {
  if (!/exceed_context_size|context_length_exceeded/.test(said.type) && !/maximum context length|exceeds the available context/i.test(said.message)) return undefined;
  return makeError('context.overflow', `The prompt is longer than the endpoint's context${said.contextSize ? ` of ${said.contextSize.toLocaleString('en-US')} tokens` : ''}.`,
    'Start a new chat, attach less, or start the server with a larger context.', said.message, said.contextSize ? { contextSize: said.contextSize } : undefined);
}

export function nonsense(url: URL, what: string, cause?: string): LoupeFailure {
  return failure('endpoint.badResponse', `The endpoint ${url.host} does not speak the OpenAI protocol: ${what}.`,
    'Check loupe.endpoint.url, which usually ends in /v1, and that the server is one for language models.', cause);
}

export function parseJson(body: string, url: URL, contentType: string | null): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch (thrown) {
    const page = contentType?.includes('html') === true || /^\s*<(!doctype|html)/i.test(body);
    throw nonsense(url, page ? 'it answered with a web page' : 'its answer is not JSON', `${messageOf(thrown)}: ${body.slice(0, 300)}`);
  }
}

/** The whole body as text; undefined when it is longer than `limit` bytes, and then the rest is not read. */
export async function readText(response: Response, limit: number): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let result = '';
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > limit) return undefined; // leaving the loop cancels the stream
    result += decoder.decode(chunk, { stream: true });
  }
  return result + decoder.decode();
}

function redirectTarget(response: Response, from: URL): URL | undefined {
  const location = response.headers.get('location');
  return location && URL.canParse(location, from.href) ? new URL(location, from) : undefined;
}

function connectionError(url: URL, thrown: unknown): LoupeError {
  const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const [what, next] = code === 'ECONNREFUSED' ? ['nothing listens there', 'Start the server, or check loupe.endpoint.url.']
    : code === 'ENOTFOUND' || code === 'EAI_AGAIN' ? ['the name is unknown', 'Check loupe.endpoint.url and your network.']
      : code.includes('TIMEOUT') ? ['it did not answer in time', 'Check that the server is not overloaded, then try again.']
        : /CERT|SIGNED|SSL|TLS/.test(code) ? [`its certificate is not accepted (${code})`, 'Use an address with a valid certificate, or add the certificate to your system.']
          : ['the connection failed', 'Check loupe.endpoint.url and your network, then try again.'];
  return makeError('endpoint.unreachable', `The endpoint ${url.host} cannot be reached: ${what}.`, next, cause);
}

export const record = (value: unknown): Readonly<Record<string, unknown>> =>
  (typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Record<string, unknown> : {});

const text = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');

const clean = (message: string): string => message.replace(/\p{C}+/gu, ' ').trim().slice(0, 300);
