import { type Llama, LlamaGrammarEvaluationState, type LlamaGrammar, type SequenceEvaluateOptions, type Token } from 'node-llama-cpp';
import type { Clock } from '../../base/clock.js';
import { failure, isAbort } from '../../base/errors.js';
import type { FinishReason, GenerationStats } from '../../protocol/chat.js';
import type { GenerateParams, GenerateResult, ProgressPhase } from '../../protocol/sidecar.js';
import { prefill } from './prefill.js';
import { promptTokens, usableContext } from './prompt.js';
import type { RoleRuntime } from './roleRuntime.js';
import type { Lane } from './scheduler.js';
import { StopMatcher } from './stopMatcher.js';
import { TokenText } from './tokenText.js';

export interface GenerationEvents {
  onText(text: string, tokensOut: number): void;
  onProgress(phase: ProgressPhase, done: number, total: number): void;
}

export interface GenerationContext {
  readonly llama: Llama;
  readonly role: RoleRuntime;
  readonly lane: Lane;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const punishedTokens = 64;

/** Generates until a stop, a limit or an abort. An abort is a result (`finish: 'cancelled'`) with the text so far, not an error. */
export async function generate(context: GenerationContext, request: GenerateParams, events: GenerationEvents): Promise<GenerateResult> {
  const { role, lane, clock, signal } = context;
  const prompt = promptTokens(role.model, request.prompt, role.context.contextSize);
  const grammar = request.grammar === undefined ? undefined : await compileGrammar(context.llama, request.grammar);
  const run = new Run(role, request, events);
  const stats: { restoreMs: number; prefillMs: number; decodeMs: number; tokensCached: number; tokensRestored?: number; tokensAhead?: number } = { restoreMs: 0, prefillMs: 0, decodeMs: 0, tokensCached: 0 };
  const asked = clock.monotonic();
  let sequenceMs = 0;
  let finish: FinishReason = 'cancelled';
  let kvBytes = 0;
  try {
    const state = await role.pool.take(request.conversation, prompt.tokens, signal);
    sequenceMs = clock.monotonic() - asked;
    try {
      const ready = await prefill({ lane, state, clock, signal, slices: role.slices, snapshots: role.snapshots, onProgress: events.onProgress.bind(events) }, prompt);
      stats.restoreMs = ready.restoreMs;
      stats.prefillMs = ready.prefillMs;
      stats.tokensCached = ready.cached;
      if (ready.restored > 0) stats.tokensRestored = ready.restored;
      if (ready.ahead > 0) stats.tokensAhead = ready.ahead;
      const iterator = state.sequence.evaluate(ready.tail, samplingOptions(role, request, grammar, run.tokens));
      try {
        for (;;) {
          if (state.sequence.nextTokenIndex + (run.tokens.length === 0 ? ready.tail.length : 1) > usableContext(role.context.contextSize)) {
            finish = 'length';
            break;
          }
          const before = clock.monotonic();
          const waited = lane.waitedMs;
          const next = await lane.step(() => iterator.next());
          const spent = clock.monotonic() - before - (lane.waitedMs - waited);
          if (run.tokens.length === 0) stats.prefillMs += spent;
          else stats.decodeMs += spent;
          if (next.done) {
            finish = 'stop';
            break;
          }
          if (run.accept(next.value)) {
            finish = 'stop';
            break;
          }
          if (run.tokens.length >= request.maxTokens) {
            finish = 'length';
            break;
          }
          signal.throwIfAborted();
        }
      } finally {
        await iterator.return();
      }
    } finally {
      kvBytes = role.kvBytesOf(state.sequence.nextTokenIndex);
      role.pool.release(state);
    }
  } catch (thrown) {
    if (!isAbort(thrown) && !signal.aborted) throw thrown;
  }
  run.flush();
  const all: GenerationStats = {
    ...stats, kvBytes, finish, queueMs: sequenceMs + lane.waitedMs, tokensIn: prompt.tokens.length, tokensOut: run.tokens.length,
  };
  return { text: run.text, ...(run.stop === undefined ? {} : { stop: run.stop }), stats: all };
}

/** Collects tokens into text: whole characters only, and nothing of a stop string. */
class Run {
  readonly tokens: Token[] = [];
  text = '';
  private readonly matcher: StopMatcher;
  private readonly decoder: TokenText;

  constructor(role: RoleRuntime, request: GenerateParams, private readonly events: GenerationEvents) {
    this.matcher = new StopMatcher(request.stop);
    // Control tokens show as their text: tool calls of some models are made of them.
    this.decoder = new TokenText((tokens, before) => role.model.detokenize(tokens as Token[], true, before as Token[]));
  }

  get stop(): string | undefined {
    return this.matcher.stop;
  }

  /** True when a stop string is complete. */
  accept(token: Token): boolean {
    this.tokens.push(token);
    this.emit(this.matcher.push(this.decoder.push(token)));
    return this.matcher.stopped;
  }

  flush(): void {
    this.emit(this.matcher.push(this.decoder.flush()));
    this.emit(this.matcher.flush());
  }

  private emit(text: string): void {
    if (text === '') return;
    this.text += text;
    this.events.onText(text, this.tokens.length);
  }
}

async function compileGrammar(llama: Llama, source: string): Promise<LlamaGrammar> {
  try {
    return await llama.createGrammar({ grammar: source });
  } catch (thrown) {
    throw failure('sidecar.protocol', 'The grammar of the request cannot be read.', 'This is a fault in Loupe: please report it.', thrown);
  }
}

function samplingOptions(role: RoleRuntime, request: GenerateParams, grammar: LlamaGrammar | undefined, produced: readonly Token[]): SequenceEvaluateOptions {
  const { temperature, topP, topK, minP, seed, repeatPenalty } = request.sampling;
  return {
    temperature,
    ...(topP === undefined ? {} : { topP }),
    ...(topK === undefined ? {} : { topK }),
    ...(minP === undefined ? {} : { minP }),
    ...(seed === undefined ? {} : { seed }),
    ...(repeatPenalty === undefined ? {} : { repeatPenalty: { penalty: repeatPenalty, punishTokens: () => produced.slice(-punishedTokens) } }),
    ...(grammar === undefined ? {} : { grammarEvaluationState: new LlamaGrammarEvaluationState({ model: role.model, grammar }) }),
  };
}
