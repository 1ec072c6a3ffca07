import type { KvFormat } from '../protocol/kv.js';
import type { Hardware } from './hardware.js';
import { bitsPerValue } from './kvPresets.js';
import type { KvGeometry, KvLayers } from './modelShape.js';

/** What has to be known of a model to say how much memory it takes. */
export interface FitModel {
  readonly weightsBytes: number;
  readonly kv: KvGeometry;
  /** Absent: one that the engine has every storage format for. */
  readonly architecture?: string;
  readonly trainContext: number;
  readonly vocabulary: number;
  readonly embedding: number;
}

export interface MemoryNeed {
  readonly weightsBytes: number;
  readonly kvBytes: number;
  /** Scratch buffers of the engine and the process itself. */
  readonly overheadBytes: number;
  readonly totalBytes: number;
}

/** Tokens that the engine computes at once; the sliding-window cache has room for one more batch of them. */
export const batchTokens = 512;
/** The engine rounds context and cache sizes up to this. */
const contextStep = 256;
const processBytes = 160 * 1024 * 1024;
const gib = 1024 ** 3;

/** Below this a chat has no room for a file and an answer. */
export const smallestChatContext = 4096;

/** KV bytes per token of the layers that keep every token. */
export function kvGrowingBytes({ global }: KvGeometry, format: KvFormat): number {
  return layerBytes(global, bitsPerValue(format.keys), bitsPerValue(format.values));
}

/** KV bytes of the sliding-window layers for a sequence of `context` tokens. */
export function kvWindowBytes(kv: KvGeometry, context: number, format: KvFormat): number {
  const [keys, values] = format.windowF16 ? [16, 16] : [bitsPerValue(format.keys), bitsPerValue(format.values)];
  return keptByWindow(kv, context) * layerBytes(kv.local, keys, values);
}

/** KV bytes of the rows that are kept in f16 besides: a constant for each sequence. */
export const kvTailBytes = ({ global }: KvGeometry, format: KvFormat): number => format.f16Rows * layerBytes(global, 16, 16);

/** Bytes per token of all layers of one kind, with so many bits for each element of a key and of a value. */
const layerBytes = (part: KvLayers, keyBits: number, valueBits: number): number =>
  (part.layers * (part.keyElements * keyBits + part.valueElements * valueBits)) / 8;

/** Cells that the sliding-window layers keep for `context` tokens: window, batch and the one cell that node-llama-cpp adds. */
export const keptByWindow = (kv: KvGeometry, context: number): number =>
  (kv.window === 0 ? 0 : Math.min(context, roundUp(kv.window + batchTokens + 1, contextStep)));

/** Bytes of the KV cache for a sequence of `context` tokens: global layers keep all of them, sliding-window layers the window and one batch. */
export function kvCacheBytes(kv: KvGeometry, context: number, format: KvFormat): number {
  return Math.ceil(context * kvGrowingBytes(kv, format) + kvWindowBytes(kv, context, format) + kvTailBytes(kv, format));
}

/**
 * What a model takes when it runs. Measured with 8,192 tokens in f16 on x64 (resident memory against this estimate): Qwen2.5-Coder
 * 0.5B 0.72 of 1.10 GB, Gemma 3 270M 0.40 of 1.02 GB, Qwen2.5-Coder 1.5B 2.11 of 1.88 GB. The last is above because the engine rearranges
 * weights in memory of its own; the file's pages, 1.1 GB of it, are cache that the system takes back when it needs to.
 */
export function memoryNeed(model: FitModel, context: number, format: KvFormat): MemoryNeed {
  const kvBytes = kvCacheBytes(model.kv, context, format);
  // The largest scratch buffer holds the logits of one batch, 4 bytes each; activations and attention rows come on top.
  const overheadBytes = processBytes + batchTokens * 4 * (model.vocabulary + 16 * model.embedding);
  return { weightsBytes: model.weightsBytes, kvBytes, overheadBytes, totalBytes: model.weightsBytes + kvBytes + overheadBytes };
}

export interface MemoryBudget { readonly bytes: number; readonly reason: string }

/**
 * Memory that models may take: what is left after the editor, language servers, a browser and the system. Never more than is
 * free right now, since swapping is slower than any smaller model.
 * @param ownBytes memory that Loupe's own sidecar holds already and would give back
 */
export function memoryBudget(hardware: Pick<Hardware, 'totalBytes' | 'availableBytes'>, ownBytes = 0): MemoryBudget {
  const reserve = Math.min(Math.max(0.25 * hardware.totalBytes, 3 * gib), 12 * gib);
  const byTotal = Math.max(0, hardware.totalBytes - reserve);
  const byAvailable = Math.max(0, hardware.availableBytes + ownBytes - gib);
  return byAvailable < byTotal
    ? { bytes: byAvailable, reason: `${size(hardware.availableBytes + ownBytes)} of memory is free, and 1 GB of it is left for the editor` }
    : { bytes: byTotal, reason: `of ${size(hardware.totalBytes)} of memory ${size(reserve)} is left for the editor and the system` };
}

export interface Fit {
  readonly fits: boolean;
  /** Tokens; the smallest useful context when even that does not fit. */
  readonly contextSize: number;
  readonly need: MemoryNeed;
  readonly reason: string;
}

/**
 * The largest context up to `wanted` (0: up to what the model was trained for) with which the model fits the budget.
 * Monotonic in the budget.
 */
export function largestContext(model: FitModel, budget: MemoryBudget, format: KvFormat, wanted = 0, smallest = smallestChatContext): Fit {
  const limit = Math.max(contextStep, Math.min(wanted || model.trainContext, model.trainContext));
  const floor = Math.min(smallest, limit);
  const at = (context: number): Fit => {
    const need = memoryNeed(model, context, format);
    const fits = need.totalBytes <= budget.bytes;
    const parts = `${size(need.weightsBytes)} of weights, ${size(need.kvBytes)} of KV cache for ${tokens(context)} and ${size(need.overheadBytes)} for the engine`;
    return { fits, contextSize: context, need, reason: fits ? `${parts} fit: ${budget.reason}.` : `${parts} do not fit: ${budget.reason}.` };
  };
  const whole = at(limit);
  if (whole.fits) return whole;
  let low = Math.ceil(floor / contextStep);
  let high = Math.floor(limit / contextStep);
  if (!at(low * contextStep).fits) return at(floor);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (at(middle * contextStep).fits) low = middle;
    else high = middle - 1;
  }
  return at(low * contextStep);
}

const roundUp = (value: number, step: number): number => Math.ceil(value / step) * step;

/** Bytes for people: decimal, as file sizes are shown. */
export function size(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.round(bytes / 1e6)} MB`;
}

export const tokens = (count: number): string => `${count.toLocaleString('en-US')} tokens`;
