import { LoupeFailure, isAbort, makeError, toError } from '../../base/errors.js';
import { type Result, err, ok } from '../../base/result.js';
import { EndpointChatModel } from './endpointChatModel.js';
import { EndpointHttp, type Fetch, nonsense, record } from './endpointHttp.js';
import { below, besides, endpointBase } from './endpointUrl.js';

export interface ConnectOptions {
  readonly url: string;
  /** Empty: the first model that the endpoint lists. */
  readonly model: string;
  readonly apiKey?: string;
  /** Tokens, when the user knows better than the endpoint; 0 or absent: ask it. */
  readonly contextSize?: number;
  readonly fetch?: Fetch;
}

export interface EndpointModel {
  readonly id: string;
  /** Tokens, where the endpoint says so in its list. */
  readonly contextSize?: number;
}

export interface Connection {
  readonly model: EndpointChatModel;
  /** Where the size of the context comes from, for the user. */
  readonly contextReason: string;
}

/** Where nobody says how long the context is: what nearly every server has at least. */
const assumedContext = 8192;
/** Ollama cuts longer prompts silently unless it was started otherwise. */
const ollamaContext = 4096;
const maximumModels = 1000;

/** The models that an endpoint offers. Errors: `endpoint.*`, `cancelled`. */
export async function listModels(options: Pick<ConnectOptions, 'url' | 'apiKey' | 'fetch'>, signal: AbortSignal): Promise<Result<readonly EndpointModel[]>> {
  const base = endpointBase(options.url, Boolean(options.apiKey));
  if (!base.ok) return base;
  return guarded(async () => (await readModels(new EndpointHttp(options), base.value, signal)).models);
}

/**
 * Finds out what an endpoint has and makes a chat model of it. One request where the list says everything, three at most.
 * Errors: `endpoint.*`, `cancelled`.
 */
export async function connectEndpoint(options: ConnectOptions, signal: AbortSignal): Promise<Result<Connection>> {
  const base = endpointBase(options.url, Boolean(options.apiKey));
  if (!base.ok) return base;
  return guarded(async () => {
    const http = new EndpointHttp(options);
    const listed = await readModels(http, base.value, signal, options.model !== '');
    const model = options.model || listed.models[0]?.id;
    if (!model) throw new LoupeFailure(makeError('endpoint.badResponse', `The endpoint ${base.value.host} lists no models.`, 'Load a model into the server, or set loupe.endpoint.model.'));
    const context = await findContext(http, base.value, listed, model, options.contextSize ?? 0, signal);
    return {
      contextReason: context.reason,
      model: new EndpointChatModel({
        base: base.value, model, contextSize: context.size, flavour: listed.owner === 'llamacpp' ? 'llama.cpp' : 'openai',
        ...(options.apiKey ? { apiKey: options.apiKey } : {}), ...(options.fetch ? { fetch: options.fetch } : {}),
      }),
    };
  });
}

interface Listed { readonly models: readonly EndpointModel[]; /** `owned_by` of the first model: tells the servers apart. */ readonly owner: string }

/** @param optional some endpoints have no list; that is no error when the model's name is known */
async function readModels(http: EndpointHttp, base: URL, signal: AbortSignal, optional = false): Promise<Listed> {
  let body: unknown;
  try {
    body = await http.json(below(base, '/models'), undefined, signal);
  } catch (thrown) {
    if (optional && thrown instanceof LoupeFailure && thrown.error.code === 'endpoint.httpError' && thrown.error.data?.['status'] === 404) return { models: [], owner: '' };
    throw thrown;
  }
  const { data } = record(body);
  if (!Array.isArray(data)) throw nonsense(base, 'its list of models has no data', JSON.stringify(body).slice(0, 300));
  const entries = data.slice(0, maximumModels).map(record);
  const models = entries.flatMap((entry): EndpointModel[] => {
    if (typeof entry['id'] !== 'string' || entry['id'] === '') return [];
    // vLLM, LM Studio, OpenRouter, llama.cpp
    const size = [entry['max_model_len'], entry['loaded_context_length'], entry['context_length'], record(entry['meta'])['n_ctx']].find(isContext);
    return [{ id: entry['id'].slice(0, 500), ...(size === undefined ? {} : { contextSize: size }) }];
  });
  return { models, owner: typeof entries[0]?.['owned_by'] === 'string' ? entries[0]['owned_by'] : '' };
}

async function findContext(
  http: EndpointHttp, base: URL, listed: Listed, model: string, wanted: number, signal: AbortSignal,
): Promise<{ readonly size: number; readonly reason: string }> {
  const said = (size: number): { size: number; reason: string } => (wanted > 0 && wanted < size
    ? { size: wanted, reason: `Set in loupe.model.contextSize; the endpoint has ${size.toLocaleString('en-US')} tokens.` }
    : { size, reason: 'As the endpoint reports it.' });
  // A llama.cpp server divides its context among its slots; only /props says what one of them has.
  if (listed.owner === 'llamacpp') {
    const size = record(record(await quietly(http, besides(base, '/props'), signal))['default_generation_settings'])['n_ctx'];
    if (isContext(size)) return said(size);
  }
  const entry = listed.models.find((m) => m.id === model);
  if (entry?.contextSize !== undefined) return said(entry.contextSize);
  if (listed.owner === 'library') {
    const running = record(await quietly(http, besides(base, '/api/ps'), signal))['models'];
    const size = Array.isArray(running) ? running.map(record).find((m) => m['name'] === model || m['model'] === model)?.['context_length'] : undefined;
    if (isContext(size)) return said(size);
    if (wanted > 0) return { size: wanted, reason: 'Set in loupe.model.contextSize.' };
    return { size: ollamaContext, reason: 'The default of Ollama, which does not say what it has. Set loupe.model.contextSize if you start it with another.' };
  }
  if (wanted > 0) return { size: wanted, reason: 'Set in loupe.model.contextSize.' };
  return { size: assumedContext, reason: `The endpoint does not say; ${assumedContext.toLocaleString('en-US')} tokens are assumed. Set loupe.model.contextSize if it has another size.` };
}

const isContext = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value) && value >= 256 && value <= 100_000_000;

/** The answer to a question that many servers do not know; undefined then. */
async function quietly(http: EndpointHttp, url: URL, signal: AbortSignal): Promise<unknown> {
  try {
    return await http.json(url, undefined, signal);
  } catch (thrown) {
    if (thrown instanceof LoupeFailure) return undefined;
    throw thrown;
  }
}

async function guarded<T>(work: () => Promise<T>): Promise<Result<T>> {
  try {
    return ok(await work());
  } catch (thrown) {
    if (thrown instanceof LoupeFailure || isAbort(thrown)) return err(toError(thrown));
    return err(makeError('endpoint.unreachable', 'The connection to the endpoint was lost.', 'Check that the server still runs, then try again.', thrown));
  }
}
