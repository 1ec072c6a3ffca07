import { batchTokens, type FitModel, kvCacheBytes, largestContext } from '../../model/fit.js';
import type { ResolvedKv } from '../../model/kvPresets.js';
import type { ModelShape } from '../../model/modelShape.js';
import type { LoadParams, ModelRole } from '../../protocol/sidecar.js';

/** Tokens per batch given to the engine; also the longest slice of prefill. */
export const batchSize = batchTokens;

const smallestContext = 512;
const largestAuto: Readonly<Record<ModelRole, number>> = { chat: 16_384, completion: 4096 };
/** The share of free memory that the sidecar takes when it chooses the context itself. */
const autoShare = 0.6;
/** The size named in an error leaves a little room: by the time the user asks for it, less may be free. */
const namedShare = 0.95;
/** A second conversation keeps its prefix too, where that takes at most this share of what is left. */
const secondSequenceShare = 0.25;

export interface ContextPlan { readonly contextSize: number; readonly sequences: number }

/** `fits`: the context that would fit instead; 0 when not even the smallest one does. */
export type PlanResult = ContextPlan | { readonly fits: number };

export const isPlan = (result: PlanResult): result is ContextPlan => 'contextSize' in result;

/**
 * Chooses context size and number of sequences for `freeBytes` of memory, of which the weights still take `weightsBytes` (0 when
 * they are loaded already). A context longer than the model was trained for is cut to that. A size that was asked for is kept or refused,
 * unless the engine stores the cache in more bytes than the preset promises: then it is the most that is taken.
 */
export function planContext(params: Pick<LoadParams, 'contextSize' | 'role'>, shape: ModelShape, kv: ResolvedKv, weightsBytes: number, freeBytes: number): PlanResult {
  const model: FitModel = { ...shape, weightsBytes };
  const { format } = kv;
  const within = (bytes: number, wanted: number) => largestContext(model, { bytes, reason: '' }, format, wanted, smallestContext);
  let contextSize: number;
  if (params.contextSize === 'auto') {
    const comfortable = within(freeBytes * autoShare, largestAuto[params.role]);
    const fit = comfortable.fits ? comfortable : within(freeBytes, smallestContext);
    if (!fit.fits) return { fits: 0 };
    contextSize = fit.contextSize;
  } else {
    contextSize = Math.min(params.contextSize, shape.trainContext);
    const fit = within(freeBytes, contextSize);
    if (!fit.fits || fit.contextSize < contextSize) {
      const safe = within(freeBytes * namedShare, contextSize);
      if (kv.note === undefined || !safe.fits) return { fits: safe.fits ? safe.contextSize : 0 };
      ({ contextSize } = safe);
    }
  }
  const left = freeBytes - within(freeBytes, contextSize).need.totalBytes;
  const second = params.role === 'chat' && kvCacheBytes(shape.kv, contextSize, format) <= left * secondSequenceShare;
  return { contextSize, sequences: second ? 2 : 1 };
}
