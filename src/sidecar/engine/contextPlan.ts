import type { KvType, LoadParams, ModelRole } from '../../protocol/sidecar.js';
import { kvBytesPerElement, type KvLayers, type ModelShape } from '../../model/modelShape.js';

/** Tokens per batch given to the engine; also the longest slice of prefill. */
export const batchSize = 512;
/** Left for everything else on the machine when the sidecar chooses the context itself. */
const reserveBytes = 512 * 1024 * 1024;
const smallestContext = 512;
const smallestAuto = 2048;
const largestAuto: Readonly<Record<ModelRole, number>> = { chat: 16_384, completion: 4096 };
const wantedSequences: Readonly<Record<ModelRole, number>> = { chat: 2, completion: 1 };

export interface KvFormat { readonly keys: KvType; readonly values: KvType }

const layerBytes = (layers: KvLayers, format: KvFormat): number =>
  layers.layers * (layers.keyElements * kvBytesPerElement[format.keys] + layers.valueElements * kvBytesPerElement[format.values]);

/** KV bytes per token of the layers that keep every token. */
export const growingBytesPerToken = (shape: ModelShape, format: KvFormat): number => layerBytes(shape.kv.global, format);

/** KV bytes of the sliding-window layers of one sequence that holds `tokens` tokens. */
export function windowBytes(shape: ModelShape, format: KvFormat, tokens: number): number {
  return Math.min(tokens, windowCells(shape)) * layerBytes(shape.kv.local, format);
}

/** Cells that llama.cpp allocates for a sliding window: window and batch, in whole blocks of 256. */
export const windowCells = (shape: ModelShape): number => (shape.kv.window === 0 ? 0 : Math.ceil((shape.kv.window + batchSize + 1) / 256) * 256);

/** KV bytes of one sequence with `tokens` tokens. */
export const kvBytes = (shape: ModelShape, format: KvFormat, tokens: number): number =>
  tokens * growingBytesPerToken(shape, format) + windowBytes(shape, format, tokens);

/** Scratch memory of a context: mostly the logits of one batch (32 bit per entry of the vocabulary). */
const computeBytes = (shape: ModelShape): number => batchSize * (shape.vocabulary + 8 * shape.embedding) * 4;

export interface ContextPlan { readonly contextSize: number; readonly sequences: number }

/** `fits`: the context that would fit instead; 0 when not even the smallest one does. */
export type PlanResult = ContextPlan | { readonly fits: number };

export const isPlan = (result: PlanResult): result is ContextPlan => 'contextSize' in result;

/**
 * Chooses context size and number of sequences for `freeBytes` of memory, of which the weights still take `weightBytes` (0 when
 * they are loaded already).
 */
export function planContext(params: LoadParams, shape: ModelShape, weightBytes: number, freeBytes: number): PlanResult {
  const format = { keys: params.kvKeys, values: params.kvValues };
  const forKv = freeBytes - weightBytes - computeBytes(shape);
  if (params.contextSize === 'auto') {
    const sequences = wantedSequences[params.role];
    const comfortable = Math.max(0, forKv - reserveBytes) / 2;
    const size = Math.min(largestAuto[params.role], shape.trainContext, largestContext(shape, format, comfortable / sequences));
    if (size >= Math.min(smallestAuto, shape.trainContext)) return { contextSize: size, sequences };
    const tight = Math.min(smallestAuto, shape.trainContext, largestContext(shape, format, forKv));
    return tight >= smallestContext ? { contextSize: tight, sequences: 1 } : { fits: 0 };
  }
  const contextSize = Math.min(params.contextSize, shape.trainContext);
  for (let sequences = wantedSequences[params.role]; sequences > 0; sequences--) {
    if (kvBytes(shape, format, contextSize) * sequences <= forKv) return { contextSize, sequences };
  }
  const fits = largestContext(shape, format, forKv);
  return { fits: fits >= smallestContext ? fits : 0 };
}

/** Tokens whose KV takes at most `bytes`, in whole blocks of 256, as llama.cpp allocates them. */
export function largestContext(shape: ModelShape, format: KvFormat, bytes: number): number {
  const windows = windowBytes(shape, format, windowCells(shape));
  const growing = growingBytesPerToken(shape, format);
  const tokens = bytes <= windows ? 0 : growing === 0 ? shape.trainContext : (bytes - windows) / growing;
  return Math.floor(Math.min(tokens, 2 ** 31) / 256) * 256;
}
