import { isAbort, makeError, toError, type LoupeError } from '../base/errors.js';
import type { AgentEvent, Gate } from '../protocol/agentEvents.js';
import type { ToolCall, ToolDefinition } from '../protocol/chat.js';
import type { About } from './aboutWorkspace.js';
import { orAbort } from './abort.js';
import { judgeLimit, planHop, reasons, RepeatCounter, repeatLimit, type Closing, type HopPlan } from './gates.js';
import { runHop, type HopOutcome } from './hop.js';
import { failureNote } from './notes.js';
import type { ServerStart } from './mcp/port.js';
import { noGrants } from './policy.js';
import { firstPrompt, type FirstPrompt } from './prefix.js';
import { nudges, type SystemMessage } from './prompt.js';
import { runTool } from './toolRunner.js';
import type { Tool } from './tools/tool.js';
import { toolMessage, TurnState } from './turnState.js';
import type { TurnDeps, TurnInput, TurnResult } from './turn.js';

/** After so many calls without a useful result the model decides by itself again. */
const looksInVain = 3;

interface Ending { readonly gate: Gate; readonly reason: string; readonly text: string; readonly partial: boolean; readonly error?: LoupeError }

/**
 * One turn of the agent: model, tools, model, ... until a gate fires. Yields what happens in the order it happens and
 * returns the answer with the history for the next turn. Never throws: every failure is a gate. Returning early from the
 * generator stops the model and the tools.
 */
export async function* runTurn(deps: TurnDeps, input: TurnInput, signal: AbortSignal): AsyncGenerator<AgentEvent, TurnResult> {
  const state = new TurnState(deps, input, firstPrompt(deps.tools, input).window, signal);
  try {
    yield {
      type: 'turnStarted', turnId: input.turnId, conversation: input.conversation, at: deps.clock.now(), goal: input.goal,
      model: deps.model.info.name, budget: input.budget, zone: input.zone,
    };
    const tools = [...deps.tools, ...yield* serverTools(deps, input, state)];
    const ending = yield* new Loop({ ...deps, tools }, input, firstPrompt(tools, input), state).run();
    const text = ending.text.trimEnd();
    const note = ending.gate === 'cancelled' || (ending.gate === 'error' && text === '') ? '' : failureNote(state.records);
    if (note !== '') yield { type: 'textDelta', hop: state.hop, text: text === '' ? note : `\n\n${note}` };
    const answer = [text, note].filter((part) => part !== '').join('\n\n');
    yield {
      type: 'gate', atMs: state.atMs(), gate: ending.gate, reason: ending.reason, spent: state.spent(),
      ...(ending.error ? { error: ending.error } : {}),
    };
    yield { type: 'turnFinished', at: deps.clock.now(), atMs: state.atMs(), answer, partial: ending.partial };
    return { messages: state.history(ending.gate, text), answer, partial: ending.partial, gate: ending.gate };
  } finally {
    state.dispose();
  }
}

async function* serverTools({ serverTools: ask }: TurnDeps, input: TurnInput, { signal, atMs }: TurnState): AsyncGenerator<AgentEvent, readonly Tool[]> {
  if (!ask || input.zone !== 'full') return [];
  const began = atMs();
  const started = (start: ServerStart): AgentEvent => ({ type: 'serverStarted', hop: 0, atMs: atMs(), ...start });
  try {
    const { tools, starts } = await orAbort(ask(input, signal), signal);
    for (const start of starts) yield started(start);
    return tools;
  } catch (thrown) {
    // A stop is seen by the loop. Anything else costs the turn these tools, and is told.
    if (!signal.aborted) yield started({ server: 'MCP', coldMs: atMs() - began, problem: toError(thrown).message });
    return [];
  }
}

class Loop {
  private readonly offered: readonly ToolDefinition[];
  private readonly system: SystemMessage;
  private readonly repeats = new RepeatCounter();
  private closing: Closing | undefined;
  private toldToClose = false;
  private repairing = false;
  private askedAgain = false;
  private refusals = 0;
  private callsRun = 0;
  private about: About | 'unknown' | undefined;

  constructor(private readonly deps: TurnDeps, private readonly input: TurnInput, first: FirstPrompt, private readonly state: TurnState) {
    ({ system: this.system, tools: this.offered } = first);
  }

  async *run(): AsyncGenerator<AgentEvent, Ending> {
    for (;;) {
      if (this.state.signal.aborted) return this.stopped('');
      const startedMs = this.state.atMs();
      const next = await this.plan();
      if ('ending' in next) return next.ending;
      const { plan, prompt, eager } = next;
      this.state.hop++;
      const { hop } = this.state;
      yield { type: 'hopStarted', hop, atMs: startedMs };
      if (prompt.event) yield prompt.event;
      const request = {
        conversation: this.input.conversation, messages: prompt.messages, tools: this.offered,
        toolChoice: plan.toolChoice, maxTokens: plan.maxTokens, ...(eager === undefined ? {} : { eager }),
      };
      const outcome = yield* runHop({
        model: this.deps.model, timers: this.state.timers, atMs: this.state.atMs, claimId: this.state.claimId,
        repair: this.repairing ? 'givenUp' : 'retrying',
      }, hop, request, this.state.signal);
      this.state.spend(outcome.stats);
      if (outcome.text.trim() !== '') this.state.texts.push(outcome.text.trim());
      const ending = yield* this.judgeHop(plan, outcome);
      if (ending) return ending;
    }
  }

  /** Prompt and plan of the next hop. A hop that turns out to be the last one is told so, which makes its prompt longer: planned again. */
  private async plan(): Promise<{ plan: Extract<HopPlan, { kind: 'run' }>; prompt: Awaited<ReturnType<TurnState['prompt']>>; eager: boolean | undefined } | { ending: Ending }> {
    try {
      let event: Awaited<ReturnType<TurnState['prompt']>>['event'];
      for (;;) {
        const toolChoice = this.closing || this.state.hop + 1 === this.input.budget.steps ? 'none' : 'auto';
        const prompt = await this.state.prompt(this.system, { messages: [], tools: this.offered, toolChoice });
        event = prompt.event ?? event;
        if (!prompt.fits) return { ending: this.tooLarge(prompt.tokens) };
        const plan = planHop({
          hop: this.state.hop + 1, budget: this.input.budget, spent: this.state.spent(), promptTokens: prompt.tokens,
          contextSize: this.deps.model.info.contextSize,
          ...(this.state.last ? { last: this.state.last } : {}), ...(this.closing ? { closing: this.closing } : {}),
        });
        if (plan.kind === 'stop') return { ending: this.whatThereIs(plan.closing) };
        if (!plan.closing || this.toldToClose) return { plan, prompt: { ...prompt, event }, eager: await this.isEager() };
        this.closing = plan.closing;
        this.toldToClose = true;
        this.state.add({ role: 'user', content: nudges.closing });
      }
    } catch (thrown) {
      return { ending: this.state.signal.aborted || isAbort(thrown) ? this.stopped('') : this.failed(toError(thrown), '') };
    }
  }

  /** Whether a look helps: the question is about the repository, and nothing that answers it has been found. Undefined: not known. */
  private async isEager(): Promise<boolean | undefined> {
    const { records, signal } = this.state;
    const last = records.at(-1);
    const settles = last && !(last.inconclusive ?? last.outcome !== 'ok');
    if (this.input.context !== '' || this.input.memory?.mode === 'whole' || records.length >= looksInVain || (settles && last.onlyNames !== true) || !this.deps.aboutWorkspace) return undefined;
    this.about ??= await this.deps.aboutWorkspace(this.input.goal, signal) ?? 'unknown';
    if (records.length === 0) return this.about !== 'unknown';
    // The names of files say nothing of the code in them, but a small model answers from them all the same.
    return this.about === 'code' || (this.about === 'repository' && !settles) ? true : undefined;
  }

  /** What a finished hop means: an ending, or undefined to go on. */
  private async *judgeHop(plan: Extract<HopPlan, { kind: 'run' }>, outcome: HopOutcome): AsyncGenerator<AgentEvent, Ending | undefined> {
    const { text, calls, malformed, stats, error } = outcome;
    if (this.state.signal.aborted) return this.stopped(text);
    if (error) return this.failed(error, text);
    if (plan.toolChoice === 'auto') {
      if (calls.length > 0 || malformed.length > 0) return yield* this.act(outcome);
      this.repairing = false;
    }
    if (text.trim() === '') return this.empty();
    this.state.add({ role: 'assistant', content: text });
    if (plan.closing) return { ...plan.closing, text, partial: true };
    if (stats.finish === 'length') return this.cutOff(plan, text, stats.tokensOut);
    return this.judgeAnswer(text);
  }

  private async *act({ text, calls, malformed }: HopOutcome): AsyncGenerator<AgentEvent, Ending | undefined> {
    if (calls.length > 0) {
      this.state.add({ role: 'assistant', content: text, toolCalls: [...calls] });
      for (const [index, call] of calls.entries()) {
        const times = this.repeats.add(call);
        if (times >= repeatLimit) this.closing ??= { gate: 'repeatedCalls', reason: reasons.repeated(call.name) };
        if (this.closing || this.state.signal.aborted) {
          for (const skipped of calls.slice(index)) this.state.add(toolMessage(skipped, 'Not run: the turn was stopped before it.'));
          break;
        }
        yield* this.runCall(call, times > 1);
      }
      if (this.state.signal.aborted) return this.stopped(text);
    }
    const problem = malformed[0];
    if (!problem) {
      this.repairing = false;
      return undefined;
    }
    if (calls.length === 0) this.state.add({ role: 'assistant', content: text === '' ? problem.raw : text });
    if (this.repairing) this.closing ??= { gate: 'malformedCalls', reason: reasons.malformed };
    else this.state.add({ role: 'user', content: nudges.malformed(problem.problem) });
    this.repairing = true;
    return undefined;
  }

  private async *runCall(call: ToolCall, repeated: boolean): AsyncGenerator<AgentEvent, void> {
    const run = {
      turnId: this.input.turnId, zone: this.input.zone, tools: this.deps.tools, timers: this.state.timers,
      stopwatch: this.state.stopwatch, atMs: this.state.atMs, newId: () => this.deps.newId(), grants: this.deps.grants ?? noGrants,
      checkpoint: (within: AbortSignal) => this.deps.checkpoint?.({ turnId: this.input.turnId, goal: this.input.goal }, within) ?? Promise.resolve(undefined),
    };
    const note = repeated ? 'you made this same call before; use its result' : undefined;
    const result = yield* runTool(run, this.state.hop, call, note, this.state.signal);
    this.callsRun++;
    const changes = this.deps.tools.find(({ definition }) => definition.name === call.name)?.class !== 'read';
    if (changes && result.outcome === 'ok') this.repeats.changed();
    const { content, ...rest } = result;
    this.state.records.push({ call, ...rest, result: content });
    this.state.add(toolMessage(call, result.content));
  }

  private async judgeAnswer(text: string): Promise<Ending | undefined> {
    const answered = (checked?: string): Ending => ({ gate: 'answered', reason: reasons.answered(this.state.hop, this.callsRun, checked), text, partial: false });
    if (!this.deps.judge) return answered();
    try {
      const so = { goal: this.input.goal, answer: text, calls: this.state.records };
      const verdict = await orAbort(Promise.resolve(this.deps.judge(so, this.state.signal)), this.state.signal);
      if (verdict.pass) return answered(verdict.checked);
      if (++this.refusals >= judgeLimit) return { gate: 'judge', reason: reasons.judge(verdict.reason), text, partial: true };
      this.state.texts.splice(0, Infinity, text.trim()); // the refused answer is what there is until a better one comes
      this.state.add({ role: 'user', content: nudges.judge(verdict.reason) });
      return undefined;
    } catch (thrown) {
      return this.state.signal.aborted ? this.stopped(text) : this.failed(toError(thrown), text);
    }
  }

  private empty(): Ending | undefined {
    if (this.closing) return this.whatThereIs(this.closing);
    if (this.askedAgain) {
      const next = 'Ask again in other words, or choose a larger model.';
      return this.failed(makeError('model.emptyAnswer', reasons.emptyTwice, next), '');
    }
    this.askedAgain = true;
    // An empty assistant message would teach the model to stay silent; the nudge stands alone.
    this.state.add({ role: 'user', content: nudges.empty });
    return undefined;
  }

  private cutOff(plan: Extract<HopPlan, { kind: 'run' }>, text: string, tokens: number): Ending {
    const { contextSize } = this.deps.model.info;
    const [gate, reason] = plan.limit === 'tokens' ? ['tokens', reasons.cutByBudget(tokens, this.input.budget.tokens)] as const
      : plan.limit === 'answer' && tokens >= plan.maxTokens ? ['tokens', reasons.cutByLength(tokens)] as const
      : ['contextFull', reasons.cutByContext(tokens, contextSize)] as const;
    return { gate, reason, text, partial: true };
  }

  private tooLarge(tokens: number): Ending {
    const reason = reasons.contextFull(tokens, this.deps.model.info.contextSize);
    const error = makeError('context.overflow', reason, 'Attach a smaller selection, start a new chat, or choose a larger context.', undefined,
      { promptTokens: tokens, contextSize: this.deps.model.info.contextSize });
    return { gate: 'contextFull', reason, text: this.soFar(''), partial: true, error };
  }

  private failed(error: LoupeError, text: string): Ending {
    const what = error.code === 'internal' ? `Something went wrong: ${error.message.replace(/[.]?$/, '.')}` : error.message;
    return { gate: error.code === 'context.overflow' ? 'contextFull' : 'error', reason: `${what} ${error.next}`.trim(), text: this.soFar(text), partial: true, error };
  }

  private stopped(text: string): Ending {
    const { wallMs } = this.state.spent();
    const gate = this.state.stoppedBy();
    const reason = gate === 'cancelled' ? reasons.cancelled(Math.max(1, this.state.hop)) : reasons.wallClock(wallMs, this.input.budget.wallMs);
    return { gate, reason, text: this.soFar(text), partial: true };
  }

  private whatThereIs(closing: Closing): Ending {
    return { ...closing, text: this.soFar(''), partial: true };
  }

  /** Text of the hop that was cut off, else everything the model said on the way. */
  private soFar(text: string): string {
    return text.trim() !== '' ? text : this.state.texts.join('\n\n');
  }
}
