import { makeError, toError, type LoupeError } from '../base/errors.js';
import type { ChatModel, ChatModelEvent, ChatRequest } from '../model/chatModel.js';
import type { AgentEvent } from '../protocol/agentEvents.js';
import { emptyStats, type GenerationStats, type ToolCall } from '../protocol/chat.js';
import { canonical } from './gates.js';
import { Patience, type Timers } from './timers.js';

/** What one model call gave. `error` is unset when the model was stopped by the signal. */
export interface HopOutcome {
  readonly text: string;
  readonly calls: readonly ToolCall[];
  readonly malformed: readonly { readonly raw: string; readonly problem: string }[];
  readonly stats: GenerationStats;
  readonly error?: LoupeError;
}

export interface HopDeps {
  readonly model: ChatModel;
  readonly timers: Timers;
  atMs(): number;
  /** Makes the id of a call unique within the turn. */
  claimId(id: string): string;
  /** What happens to a malformed call in this hop. */
  readonly repair: 'retrying' | 'givenUp';
}

/** How long a model that was stopped may take to say what it did; one that stays silent is left behind. */
const stopGraceMs = 1_000;

/** One model call: reports it as it happens, ends with `modelFinished` in every case. Throws nothing. */
export async function* runHop(deps: HopDeps, hop: number, request: ChatRequest, signal: AbortSignal): AsyncGenerator<AgentEvent, HopOutcome> {
  let text = '';
  let stats: GenerationStats | undefined;
  let error: LoupeError | undefined;
  const calls: ToolCall[] = [];
  const received = new Set<string>();
  const malformed: { raw: string; problem: string }[] = [];
  for await (const event of untilStopped(deps, request, signal)) {
    if (event.type === 'finished') stats = event.stats;
    else if (event.type === 'failed') {
      error = event.error;
      stats = event.stats;
    } else if (signal.aborted) continue; // after a stop nothing more is shown, only counted
    else if (event.type === 'progress') yield { type: 'modelProgress', hop, phase: event.phase, done: event.done, total: event.total };
    else if (event.type === 'text') {
      if (event.text === '') continue;
      if (text === '') yield { type: 'firstToken', hop, atMs: deps.atMs() };
      text += event.text;
      yield { type: 'textDelta', hop, text: event.text };
    } else if (event.type === 'toolCall') {
      // The same call under the same id is one call that arrived twice, not two.
      const identity = `${event.call.id} ${event.call.name} ${canonical(event.call.arguments)}`;
      if (received.has(identity)) continue;
      received.add(identity);
      calls.push({ ...event.call, id: deps.claimId(event.call.id) });
    } else {
      malformed.push({ raw: event.raw, problem: event.problem });
      yield { type: 'malformedCall', hop, atMs: deps.atMs(), raw: event.raw, problem: event.problem, repair: deps.repair };
    }
  }
  if (!stats && !error && !signal.aborted) {
    error = makeError('model.loadFailed', 'The model stopped without saying how it ended.', 'Ask again; if it happens again, restart the sidecar or check the endpoint.');
  }
  const known = stats ?? { ...emptyStats, finish: signal.aborted ? 'cancelled' as const : 'error' as const };
  yield { type: 'modelFinished', hop, atMs: deps.atMs(), stats: known, calls, text };
  return { text, calls, malformed, stats: known, ...(error && !signal.aborted ? { error } : {}) };
}

/** The model's events up to and including its end; an exception becomes `failed`, a model that ignores the signal is left behind. */
async function* untilStopped(deps: HopDeps, request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatModelEvent, void> {
  const patience = new Patience(signal, deps.timers, stopGraceMs);
  let iterator: AsyncIterator<ChatModelEvent> | undefined;
  let ended = false;
  try {
    iterator = deps.model.chat(request, signal)[Symbol.asyncIterator]();
    for (;;) {
      const next = await Promise.race([iterator.next(), patience.expired]);
      if (next === 'expired') return;
      if (next.done) {
        ended = true;
        return;
      }
      yield next.value;
      if (next.value.type === 'finished' || next.value.type === 'failed') return;
    }
  } catch (thrown) {
    ended = true;
    yield { type: 'failed', error: toError(thrown) };
  } finally {
    patience.dispose();
    // Not awaited: a hung stream would hang the turn. Its failure after the end concerns nobody.
    if (!ended) void Promise.resolve(iterator?.return?.()).catch(() => undefined);
  }
}
