import type { Token } from 'node-llama-cpp';
import { failure } from '../../base/errors.js';
import type { ProbeParams, ProbeResult } from '../../protocol/sidecar.js';
import type { GenerationContext, GenerationEvents } from './generation.js';
import { prefill } from './prefill.js';
import { promptTokens } from './prompt.js';

/** Probability of each candidate's first token after the prompt, over the whole vocabulary at temperature 1. Throws when aborted. */
export async function probe(context: GenerationContext, request: ProbeParams, events: GenerationEvents): Promise<ProbeResult> {
  const { role, lane, clock, signal } = context;
  const prompt = promptTokens(role.model, request.prompt, role.context.contextSize);
  const first = request.candidates.map((candidate) => firstToken(role.model.tokenize(candidate, false), candidate));
  const asked = clock.monotonic();
  const state = await role.pool.take(request.conversation, prompt.tokens, signal);
  const sequenceMs = clock.monotonic() - asked;
  try {
    const ready = await prefill({ lane, state, clock, signal, slices: role.slices, snapshots: role.snapshots, onProgress: events.onProgress.bind(events) }, prompt);
    const last = ready.tail.at(-1);
    if (last === undefined) throw new Error('prefill left no token');
    const began = clock.monotonic();
    const waited = lane.waitedMs;
    const results = await lane.step(() => state.sequence.controlledEvaluate([
      ...ready.tail.slice(0, -1), [last, { generateNext: { probabilities: true, options: { temperature: 1, topK: 0, topP: 1, minP: 0 } } }],
    ]));
    const probabilities = results[ready.tail.length - 1]?.next.probabilities;
    if (!probabilities) throw new Error('the engine gave no probabilities');
    return {
      probabilities: first.map((token) => probabilities.get(token) ?? 0),
      stats: {
        queueMs: sequenceMs + lane.waitedMs, restoreMs: ready.restoreMs,
        prefillMs: ready.prefillMs + clock.monotonic() - began - (lane.waitedMs - waited), decodeMs: 0,
        tokensIn: prompt.tokens.length, tokensCached: ready.cached, ...(ready.restored > 0 ? { tokensRestored: ready.restored } : {}), ...(ready.ahead > 0 ? { tokensAhead: ready.ahead } : {}),
        tokensOut: 0, kvBytes: role.kvBytesOf(state.sequence.nextTokenIndex), finish: 'stop',
      },
    };
  } finally {
    role.pool.release(state);
  }
}

function firstToken(tokens: readonly Token[], candidate: string): Token {
  const [token] = tokens;
  if (token === undefined) throw failure('sidecar.protocol', `The candidate "${candidate}" has no tokens.`, 'This is a fault in Loupe: please report it.');
  return token;
}
