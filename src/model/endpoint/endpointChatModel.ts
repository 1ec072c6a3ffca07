import { LoupeFailure, failure, makeError } from '../../base/errors.js';
import { type Clock, systemClock } from '../../base/clock.js';
import type { GenerationStats, ToolCall, ToolDefinition } from '../../protocol/chat.js';
import type { ChatModel, ChatModelEvent, ChatModelInfo, ChatRequest } from '../chatModel.js';
import { checkCall } from '../toolCalls/checkCall.js';
import { mayBecomeTextCall, readTextCalls } from '../toolCalls/textCalls.js';
import { BadChunk, CompletionStream, type RawCall } from './completionStream.js';
import { EndpointHttp, type Fetch, nonsense, overflowError, parseJson, readText, record, saidError } from './endpointHttp.js';
import { below, besides } from './endpointUrl.js';
import { toOpenAiMessages, toOpenAiTools } from './openAiMessages.js';
import { OversizedLine, readEvents } from './sse.js';
import { estimatePromptTokens } from './tokenEstimate.js';

export interface EndpointOptions {
  /** Base address as {@link endpointBase} gives it. */
  readonly base: URL;
  /** Model name in requests. */
  readonly model: string;
  readonly contextSize: number;
  /** llama.cpp's server counts tokens and reports progress when it is asked in its own way. */
  readonly flavour: 'llama.cpp' | 'openai';
  readonly apiKey?: string;
  readonly fetch?: Fetch;
  readonly clock?: Clock;
}

const maximumWholeAnswer = 16 * 1024 * 1024;
/** An answer this long without an end is a fault of the server, whatever the token limit was. */
const maximumText = 8 * 1024 * 1024;

/**
 * Any OpenAI-compatible endpoint as a chat model. Made by `connectEndpoint`, which finds out the model and its context.
 * What the server sends is hostile input: sizes are capped, calls are checked against the tools' schemas.
 */
export class EndpointChatModel implements ChatModel {
  readonly info: ChatModelInfo;
  private readonly http: EndpointHttp;
  private readonly clock: Clock;
  private ids = 0;
  private canCount: boolean;

  constructor(private readonly options: EndpointOptions) {
    this.info = { name: shortName(options.model), kind: 'endpoint', contextSize: options.contextSize };
    this.http = new EndpointHttp(options);
    this.clock = options.clock ?? systemClock;
    this.canCount = options.flavour === 'llama.cpp';
  }

  async *chat(request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatModelEvent, void> {
    const turn = new Turn(request, this.clock);
    try {
      signal.throwIfAborted();
      const url = below(this.options.base, '/chat/completions');
      const response = await this.http.request(url, this.body(request), signal);
      if (response.headers.get('content-type')?.includes('text/event-stream')) {
        if (!response.body) throw nonsense(url, 'its answer is empty');
        yield* this.readStream(url, response.body, turn);
      } else {
        const whole = await readText(response, maximumWholeAnswer);
        if (whole === undefined) throw nonsense(url, 'it answered with far too much data');
        yield* turn.take(parseJson(whole, url, response.headers.get('content-type')));
        if (!turn.stream.sawChoices) throw nonsense(url, 'its answer has no choices', whole.slice(0, 300));
      }
      yield* turn.end(() => `call_${++this.ids}`);
    } catch (thrown) {
      if (signal.aborted) yield { type: 'finished', stats: turn.stats('cancelled') };
      else yield { type: 'failed', error: this.describe(thrown), stats: turn.stats('error') };
    }
  }

  /** Exact where the server can count (llama.cpp); else an estimate that is not below the true count for ordinary text. */
  async countPromptTokens(request: Pick<ChatRequest, 'messages' | 'tools' | 'toolChoice'>, signal: AbortSignal): Promise<number> {
    if (this.canCount) {
      try {
        const { base } = this.options;
        const rendered = record(await this.http.json(besides(base, '/apply-template'), {
          messages: toOpenAiMessages(request.messages), ...(request.tools.length > 0 ? { tools: toOpenAiTools(request.tools) } : {}),
        }, signal))['prompt'];
        const { tokens } = record(await this.http.json(besides(base, '/tokenize'), { content: rendered, add_special: true, parse_special: true }, signal, 64 * 1024 * 1024));
        if (Array.isArray(tokens)) return tokens.length;
      } catch (thrown) {
        if (!(thrown instanceof LoupeFailure)) throw thrown;
      }
      this.canCount = false; // a proxy that hides these addresses hides them every time
    }
    return estimatePromptTokens(request);
  }

  private body(request: ChatRequest): Readonly<Record<string, unknown>> {
    return {
      model: this.options.model,
      messages: toOpenAiMessages(request.messages),
      // The tools stay in the prompt even when none may be called: taking them out would change its beginning.
      ...(request.tools.length > 0 ? { tools: toOpenAiTools(request.tools), tool_choice: request.toolChoice } : {}),
      max_tokens: request.maxTokens,
      ...(request.temperature === undefined ? {} : { temperature: request.temperature }),
      stream: true,
      stream_options: { include_usage: true },
      ...(this.options.flavour === 'llama.cpp' ? { cache_prompt: true, return_progress: true } : {}),
    };
  }

  private async *readStream(url: URL, body: AsyncIterable<Uint8Array>, turn: Turn): AsyncGenerator<ChatModelEvent, void> {
    let done = false;
    for await (const data of readEvents(body)) {
      if (data === '[DONE]') {
        done = true;
        break;
      }
      yield* turn.take(parseJson(data, url, null));
    }
    if (turn.stream.finishReason !== undefined || (done && turn.stream.sawChoices)) return;
    if (!turn.stream.sawChoices) throw nonsense(url, done ? 'its answer has no choices' : 'its answer is empty');
    throw failure('endpoint.badResponse', `The answer of ${url.host} broke off.`, 'Ask again; if it happens again, look into the log of the server.');
  }

  private describe(thrown: unknown): LoupeFailure['error'] {
    if (thrown instanceof LoupeFailure) return thrown.error;
    const { base } = this.options;
    if (thrown instanceof BadChunk || thrown instanceof OversizedLine) return nonsense(base, thrown instanceof BadChunk ? thrown.message : 'a line of its answer is too long').error;
    return makeError('endpoint.unreachable', `The connection to ${base.host} was lost in mid-answer.`, 'Check that the server still runs, then ask again.', thrown);
  }
}

/** One request: what came in so far, and what of it may be shown already. */
class Turn {
  readonly stream = new CompletionStream();
  private readonly started: number;
  private firstAt: number | undefined;
  private lastAt: number;
  private text = '';
  /** Text that may still turn out to be a tool call written into the answer. */
  private held = '';
  private holding: boolean;
  private readonly tools: readonly ToolDefinition[];

  constructor(private readonly request: ChatRequest, private readonly clock: Clock) {
    this.started = clock.monotonic();
    this.lastAt = this.started;
    this.tools = request.toolChoice === 'auto' ? request.tools : [];
    this.holding = this.tools.length > 0;
  }

  *take(chunk: unknown): Generator<ChatModelEvent, void> {
    if (record(chunk)['error'] !== undefined) {
      const said = saidError(chunk);
      throw new LoupeFailure(overflowError(said) ?? makeError('endpoint.httpError', `The endpoint stopped with an error: ${said.message || 'it does not say which'}`,
        'Look into the log of the server, then ask again.', JSON.stringify(chunk).slice(0, 2000)));
    }
    const before = this.stream.pieces;
    const { text, progress } = this.stream.add(chunk);
    if (this.stream.pieces > before) {
      this.lastAt = this.clock.monotonic();
      this.firstAt ??= this.lastAt;
    }
    if (progress) yield { type: 'progress', phase: 'prefill', done: progress.done, total: progress.total };
    if (text === '') return;
    this.text += text;
    if (this.text.length > maximumText) throw new BadChunk('its answer does not end');
    if (this.holding) {
      this.held += text;
      if (mayBecomeTextCall(this.held)) return;
      this.holding = false;
      yield { type: 'text', text: this.held };
      this.held = '';
    } else yield { type: 'text', text };
  }

  *end(newId: () => string): Generator<ChatModelEvent, void> {
    const calls = this.stream.finish(newId);
    if (this.held !== '') {
      const written = calls.length === 0 ? readTextCalls(this.held, this.tools) : undefined;
      if (written?.ok) for (const call of written.calls) yield { type: 'toolCall', call: { id: newId(), ...call } };
      else if (written) yield { type: 'malformedCall', raw: written.raw, problem: written.problem };
      else yield { type: 'text', text: this.held };
    }
    for (const call of calls) yield this.checked(call);
    yield { type: 'finished', stats: this.stats(this.stream.finishReason === 'length' ? 'length' : 'stop') };
  }

  private checked(call: RawCall): ChatModelEvent {
    const raw = `${call.name} ${call.arguments}`;
    let args: unknown;
    try {
      args = JSON.parse(call.arguments.trim() || '{}');
    } catch {
      return { type: 'malformedCall', raw, problem: `the arguments of ${call.name} are not JSON` };
    }
    const read = checkCall(raw, call.name, args, this.tools);
    if (!read.ok) return { type: 'malformedCall', raw, problem: read.problem };
    const [one] = read.calls;
    if (!one) return { type: 'malformedCall', raw, problem: 'there is no call in it' };
    const named: ToolCall = { id: call.id, ...one };
    return { type: 'toolCall', call: named };
  }

  /** The server's own figures where it gives them; else what could be seen from here. Time that neither explains was spent waiting. */
  stats(finish: GenerationStats['finish']): GenerationStats {
    const { usage } = this.stream;
    const seenPrefill = (this.firstAt ?? this.lastAt) - this.started;
    const prefillMs = usage.prefillMs ?? seenPrefill;
    const decodeMs = usage.decodeMs ?? this.lastAt - (this.firstAt ?? this.lastAt);
    return {
      queueMs: Math.max(0, seenPrefill - prefillMs), restoreMs: 0, prefillMs, decodeMs, finish,
      tokensIn: usage.tokensIn ?? estimatePromptTokens(this.request), tokensCached: usage.tokensCached ?? 0, tokensOut: usage.tokensOut ?? this.stream.pieces,
      kvBytes: 0,
    };
  }
}

/** Model names are often paths on the server. */
const shortName = (model: string): string => (model.split(/[/\\]/).at(-1) ?? model).replace(/\.gguf$/i, '').slice(0, 80);
