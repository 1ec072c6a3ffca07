import { record } from './endpointHttp.js';

/** A tool call as it came in, in pieces put together. */
export interface RawCall { readonly id: string; readonly name: string; readonly arguments: string }

/** What a server says about its work. Tokens and milliseconds; undefined where it says nothing. */
export interface ReportedUsage {
  readonly tokensIn?: number;
  readonly tokensCached?: number;
  readonly tokensOut?: number;
  readonly prefillMs?: number;
  readonly decodeMs?: number;
}

export interface PromptProgress { readonly done: number; readonly total: number }

const maximumCalls = 64;
const maximumArguments = 1024 * 1024;

/** A chunk that breaks the protocol. */
export class BadChunk extends Error {
  override readonly name = 'BadChunk';
}

/**
 * Puts the chunks of one streamed chat completion together. The protocol leaves room, and servers use it: a call's index may be missing, its
 * name repeated, its arguments an object, the whole message may come in one piece.
 */
export class CompletionStream {
  finishReason: string | undefined;
  usage: ReportedUsage = {};
  /** Chunks that carried something generated: a lower bound of the tokens. */
  pieces = 0;
  private choices = 0;
  private readonly calls: { id: string; name: string; arguments: string }[] = [];
  private readonly byIndex = new Map<number, number>();

  /** Takes one parsed chunk; returns the text and the prompt progress in it. Throws {@link BadChunk}. */
  add(chunk: unknown): { readonly text: string; readonly progress?: PromptProgress } {
    const fields = record(chunk);
    this.readUsage(fields);
    const progress = record(fields['prompt_progress']);
    const found = numbers(progress, 'processed', 'total');
    const result = found ? { progress: { done: found[0], total: found[1] } } : {};
    if (!Array.isArray(fields['choices'])) {
      if (fields['usage'] === undefined && fields['timings'] === undefined) throw new BadChunk('a chunk has no choices');
      return { text: '', ...result };
    }
    let text = '';
    for (const choice of fields['choices'].map(record)) {
      this.choices++;
      if (typeof choice['finish_reason'] === 'string') this.finishReason = choice['finish_reason'];
      const delta = record(choice['delta'] ?? choice['message']);
      if (typeof delta['content'] === 'string') text += delta['content'];
      if (Array.isArray(delta['tool_calls'])) for (const call of delta['tool_calls']) this.addCall(record(call));
      if (text !== '' || delta['tool_calls'] !== undefined || typeof delta['reasoning_content'] === 'string') this.pieces++;
    }
    return { text, ...result };
  }

  get sawChoices(): boolean {
    return this.choices > 0;
  }

  /** The calls, each with an id of its own. */
  finish(newId: () => string): readonly RawCall[] {
    const taken = new Set<string>();
    return this.calls.map((call) => {
      const id = call.id === '' || taken.has(call.id) ? newId() : call.id;
      taken.add(id);
      return { ...call, id };
    });
  }

  private addCall(piece: Readonly<Record<string, unknown>>): void {
    const fn = record(piece['function']);
    const call = this.callFor(piece, typeof fn['name'] === 'string' && fn['name'] !== '');
    if (typeof piece['id'] === 'string' && piece['id'] !== '') call.id = piece['id'].slice(0, 200);
    if (typeof fn['name'] === 'string' && call.name === '') call.name = fn['name'].slice(0, 200);
    const args = fn['arguments'];
    call.arguments += typeof args === 'string' ? args : args === undefined || args === null ? '' : JSON.stringify(args);
    if (call.arguments.length > maximumArguments) throw new BadChunk('the arguments of a tool call are too long');
  }

  private callFor(piece: Readonly<Record<string, unknown>>, named: boolean): { id: string; name: string; arguments: string } {
    const index = piece['index'];
    const id = piece['id'];
    let at = typeof index === 'number' ? this.byIndex.get(index) : undefined;
    if (typeof index !== 'number') {
      // Without an index a new id or a name begins a call; anything else goes on with the last one.
      const known = typeof id === 'string' && id !== '' ? this.calls.findIndex((call) => call.id === id) : -1;
      at = known >= 0 ? known : named ? undefined : this.calls.length - 1;
    }
    if (at === undefined || at < 0) {
      if (this.calls.length >= maximumCalls) throw new BadChunk('there are too many tool calls');
      at = this.calls.push({ id: '', name: '', arguments: '' }) - 1;
      if (typeof index === 'number') this.byIndex.set(index, at);
    }
    const call = this.calls[at];
    if (!call) throw new BadChunk('a tool call has no beginning');
    return call;
  }

  /** `usage` is OpenAI's, `timings` llama.cpp's; the latter is exact and wins. */
  private readUsage(fields: Readonly<Record<string, unknown>>): void {
    const usage = record(fields['usage']);
    const timings = record(fields['timings']);
    const cached = record(usage['prompt_tokens_details'])['cached_tokens'];
    const timed = numbers(timings, 'prompt_n', 'prompt_ms', 'predicted_n', 'predicted_ms');
    const counted = numbers(usage, 'prompt_tokens', 'completion_tokens');
    if (counted) this.usage = { ...this.usage, tokensIn: counted[0], tokensOut: counted[1], ...(typeof cached === 'number' ? { tokensCached: cached } : {}) };
    if (timed) {
      const reused = numbers(timings, 'cache_n')?.[0] ?? this.usage.tokensCached ?? 0;
      this.usage = { tokensIn: timed[0] + reused, tokensCached: reused, tokensOut: timed[2], prefillMs: timed[1], decodeMs: timed[3] };
    }
  }
}

/** All of these fields as numbers of zero or more, or undefined. */
function numbers(fields: Readonly<Record<string, unknown>>, ...names: readonly string[]): readonly [number, number, number, number] | undefined {
  const values = names.map((name) => fields[name]);
  if (!values.every((value) => typeof value === 'number' && Number.isFinite(value) && value >= 0)) return undefined;
  return [...values, 0, 0, 0].slice(0, 4) as unknown as [number, number, number, number];
}
