import { AsyncQueue } from '../base/asyncQueue.js';
import { LoupeFailure, makeError, toError } from '../base/errors.js';
import type { Result } from '../base/result.js';
import { type ChatMessage, emptyStats, type GenerationStats, type ToolCall, type ToolDefinition } from '../protocol/chat.js';
import type { PrefixStats } from '../protocol/memory.js';
import type { GenerateResult, LoadedModel, ProbeResult, PromptSegment } from '../protocol/sidecar.js';
import type { ChatModelEvent, ChatModelInfo, ChatRequest, LocalModel } from './chatModel.js';
import type { Engine } from './engine.js';
import type { ChatFormat } from './formats/chatFormat.js';
import { chatFormatFor } from './formats/chatFormats.js';
import { addStats } from './generationCost.js';
import { openPrompt } from './openPrompt.js';
import { callSyntaxOf, type CallSyntax, type NamedCall, type ReadCalls } from './toolCalls/callSyntax.js';
import { decide, decisionCandidates, isDoubtful, repeatsItself } from './toolCalls/decision.js';
import { mayRefuse, refusalCandidates, wouldRefuse } from './toolCalls/refusal.js';
import { ReplyStream } from './toolCalls/replyStream.js';
import { secondLookAgrees, secondLookCandidates, secondLookPrompt } from './toolCalls/secondLook.js';
import { readTextCalls } from './toolCalls/textCalls.js';

/**
 * A chat model that runs in the sidecar: renders the prompt in the model's format, decides between call and answer, constrains
 * calls by a grammar, and streams answers as they are written. All requests of a hop extend one prompt, so each finds the
 * KV entries of the one before.
 */
export class LocalChatModel implements LocalModel {
  readonly info: ChatModelInfo;
  private readonly format: ChatFormat;
  private readonly syntax: CallSyntax;

  constructor(private readonly engine: Engine, loaded: LoadedModel, private readonly newId: () => string = () => crypto.randomUUID()) {
    this.info = { name: loaded.name, kind: 'local', contextSize: loaded.contextSize };
    this.format = chatFormatFor(loaded);
    this.syntax = callSyntaxOf(this.format);
  }

  chat(request: ChatRequest, signal: AbortSignal): AsyncIterable<ChatModelEvent> {
    const events = new AsyncQueue<ChatModelEvent>();
    const hop = new Hop(this.engine, this.format, this.syntax, request, this.newId, (event) => events.push(event), signal);
    void hop.run().then((last) => {
      events.push(last);
      events.end();
    });
    return events;
  }

  prefix(system: Extract<ChatMessage, { role: 'system' }>, tools: readonly ToolDefinition[]): PromptSegment[] {
    const segments = this.format.render([system], tools);
    return segments.slice(0, segments.findLastIndex(({ border }) => border === true) + 1);
  }

  prefill({ conversation, messages, tools }: Pick<ChatRequest, 'conversation' | 'messages' | 'tools'>, signal: AbortSignal): Promise<Result<PrefixStats>> {
    return this.engine.prefill({ role: 'chat', conversation, prompt: openPrompt(this.format, messages, tools) }, signal);
  }

  async countPromptTokens(request: Pick<ChatRequest, 'messages' | 'tools' | 'toolChoice'>, signal: AbortSignal): Promise<number> {
    const counted = await this.engine.tokenize('chat', this.format.render(request.messages, request.tools), signal);
    if (!counted.ok) throw new LoupeFailure(counted.error);
    return counted.value.tokens.length;
  }
}

/** One request to the model: at most three probes, a reply, and a call. */
class Hop {
  private cost: GenerationStats | undefined;
  /** Probability of answering without a tool, as probed. */
  private none = 0;
  private readonly tools: readonly ToolDefinition[];

  constructor(
    private readonly engine: Engine,
    private readonly format: ChatFormat,
    private readonly syntax: CallSyntax,
    private readonly request: ChatRequest,
    private readonly newId: () => string,
    private readonly emit: (event: ChatModelEvent) => void,
    private readonly signal: AbortSignal,
  ) {
    this.tools = request.tools;
  }

  /** @returns the last event. */
  async run(): Promise<ChatModelEvent> {
    try {
      const prompt = this.format.render(this.request.messages, this.tools);
      const mayCall = this.tools.length > 0 && this.request.toolChoice === 'auto';
      const opened = this.tools.length > 0 ? extend(prompt, this.syntax.answerOpening) : prompt;
      const calls = mayCall && this.syntax.decision === 'probe' && ((await this.decidesToCall(prompt)) || (await this.wouldRefuse(opened)));
      if (!calls || (await this.call(prompt)) === 'dropped') await this.reply(opened, mayCall);
      return { type: 'finished', stats: this.spent() };
    } catch (error) {
      if (error instanceof Cancelled) return { type: 'finished', stats: { ...this.spent(), finish: 'cancelled' } };
      return { type: 'failed', error: toError(error), ...(this.cost === undefined ? {} : { stats: this.cost }) };
    }
  }

  private async decidesToCall(prompt: readonly PromptSegment[]): Promise<boolean> {
    const { messages } = this.request;
    const probabilities = await this.probe(prompt, decisionCandidates(this.tools));
    this.none = probabilities[0] ?? 0;
    const decision = decide(probabilities, this.tools, messages, this.request.eager);
    if (decision !== 'lookAgain') return decision === 'call';
    return secondLookAgrees(await this.probe(secondLookPrompt(this.format, messages, this.tools), secondLookCandidates));
  }

  private async wouldRefuse(opened: readonly PromptSegment[]): Promise<boolean> {
    return mayRefuse(this.tools) && wouldRefuse(await this.probe(opened, refusalCandidates));
  }

  private async probe(prompt: readonly PromptSegment[], candidates: readonly string[]): Promise<readonly number[]> {
    const { conversation } = this.request;
    const probe = await this.engine.probe({ id: this.newId(), role: 'chat', conversation, prompt: [...prompt], candidates: [...candidates] }, this.signal);
    return this.account(probe).probabilities;
  }

  private async reply(prompt: readonly PromptSegment[], mayCall: boolean): Promise<void> {
    const stream = new ReplyStream((text) => this.emit({ type: 'text', text }), { holdCalls: mayCall, ...(this.format.thought === undefined ? {} : { thought: this.format.thought }) });
    const { marker } = this.syntax;
    const { text, stop } = await this.generate(prompt, { stop: mayCall ? [...this.format.stop, marker] : this.format.stop, onText: (part) => stream.push(part) });
    const written = mayCall ? readTextCalls(text, this.tools) : undefined;
    if (written !== undefined) this.emitCalls(written);
    else {
      stream.end();
      if (mayCall && stop === marker) await this.call(extend([...prompt, { text, control: false }], marker));
    }
  }

  private async call(prompt: readonly PromptSegment[], tools = this.tools): Promise<'called' | 'dropped'> {
    const { text, stats } = await this.generate(prompt, { stop: this.format.stop, grammar: this.syntax.grammar(tools) });
    const read: ReadCalls = stats.finish === 'length'
      ? { ok: false, raw: text, problem: 'the call was cut off at the token limit; make it shorter' }
      : this.syntax.read(text, this.tools);
    if (read.ok && this.syntax.decision === 'probe' && read.calls.every((call) => this.isBetterDropped(call))) {
      // The same look again shows nothing new; where a look helps for certain, another tool gets its turn.
      const others = tools.filter(({ name, safety }) => safety === 'reads' && name !== read.calls[0]?.name);
      return this.request.eager === true && tools === this.tools && others.length > 0 ? this.call(prompt, others) : 'dropped';
    }
    this.emitCalls(read);
    return 'called';
  }

  private isBetterDropped(call: NamedCall): boolean {
    const { messages } = this.request;
    return repeatsItself(call, this.tools, messages) || isDoubtful(call, this.none, this.tools, messages);
  }

  private emitCalls(read: ReadCalls): void {
    if (!read.ok) this.emit({ type: 'malformedCall', raw: read.raw, problem: read.problem });
    else for (const call of read.calls) this.emit({ type: 'toolCall', call: { id: this.newId(), ...call } satisfies ToolCall });
  }

  private async generate(prompt: readonly PromptSegment[], how: { readonly stop: readonly string[]; readonly grammar?: string; onText?(text: string): void }): Promise<GenerateResult> {
    const { conversation, maxTokens, temperature = 0 } = this.request;
    const left = maxTokens - (this.cost?.tokensOut ?? 0);
    const result = await this.engine.generate(
      {
        id: this.newId(), role: 'chat', conversation, prompt: [...prompt], maxTokens: Math.max(1, left), stop: [...how.stop], sampling: { temperature },
        ...(how.grammar === undefined ? {} : { grammar: how.grammar }),
      },
      {
        onDelta: ({ text }) => how.onText?.(text),
        onProgress: ({ phase, done, total }) => { if (phase !== 'save') this.emit({ type: 'progress', phase, done, total }); },
      },
      this.signal,
    );
    return this.account(result);
  }

  /** Takes the value out and adds its cost; a failure or a cancellation ends the hop. */
  private account<T extends GenerateResult | ProbeResult>(result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: LoupeFailure['error'] }): T {
    if (!result.ok) {
      if (result.error.code === 'cancelled') throw new Cancelled();
      throw new LoupeFailure(result.error);
    }
    this.cost = addStats(this.cost, result.value.stats);
    if (result.value.stats.finish === 'cancelled') throw new Cancelled();
    if (result.value.stats.finish === 'error') throw new LoupeFailure(makeError('sidecar.crashed', 'The engine stopped in the middle of the reply.', 'Ask again; if it happens again, restart the sidecar.'));
    return result.value;
  }

  private spent(): GenerationStats {
    return this.cost ?? emptyStats;
  }
}

class Cancelled extends Error {}

/** The prompt with control text at its end, in one segment with control text already there. */
function extend(prompt: readonly PromptSegment[], control: string): PromptSegment[] {
  const last = prompt.at(-1);
  if (control === '') return [...prompt];
  if (last?.control !== true) return [...prompt, { text: control, control: true }];
  return [...prompt.slice(0, -1), { text: last.text + control, control: true }];
}
