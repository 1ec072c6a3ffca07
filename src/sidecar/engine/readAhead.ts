import type { PrefixStats } from '../../protocol/memory.js';
import type { PrefillParams } from '../../protocol/sidecar.js';
import type { GenerationContext } from './generation.js';
import { checkpointWorth, Evaluation, reuse } from './prefill.js';
import { promptTokens } from './prompt.js';
import { noStats } from './remember.js';

/**
 * Reads into a conversation's sequence what its next prompt will begin with, as long as nothing else is asked: before each slice it looks, and leaves what it
 * has. A sequence that holds more than the prompt stays as it is, so a question that grows again after a deletion finds what was read of it.
 */
export async function readAhead(context: GenerationContext, request: PrefillParams): Promise<PrefixStats> {
  const { role, lane, clock, signal } = context;
  const { tokens, borders } = promptTokens(role.model, request.prompt, role.context.contextSize);
  const stats = { ...noStats, tokens: tokens.length };
  const state = lane.hasOthers() ? undefined : role.pool.takeIdle(request.conversation, tokens);
  if (!state) return stats;
  try {
    if (state.sharedWith(tokens) === tokens.length) return { ...stats, reused: tokens.length };
    const deps = { lane, state, clock, signal, slices: role.slices, snapshots: role.snapshots, onProgress: () => undefined };
    const { cached, restored, ahead, restoreMs } = await reuse(deps, tokens, tokens.length);
    state.markAhead(cached - ahead);
    const [began, waited, evaluated] = [clock.monotonic(), lane.waitedMs, state.evaluated];
    const evaluation = new Evaluation(deps, tokens, cached, true);
    const border = borders.at(-1) ?? 0;
    for (const stop of new Set([border, tokens.length])) {
      while (evaluation.done < stop && !lane.hasOthers()) await evaluation.slice(stop);
      if (evaluation.done < stop) break;
      if (stop === border && border > cached) await lane.step(() => state.settle());
    }
    if (evaluation.done - cached >= checkpointWorth && !lane.hasOthers()) await lane.step(() => state.checkpoint());
    return { ...stats, reused: cached, restored, restoreMs, prefilled: state.evaluated - evaluated, prefillMs: clock.monotonic() - began - (lane.waitedMs - waited) };
  } finally {
    role.pool.release(state);
  }
}
