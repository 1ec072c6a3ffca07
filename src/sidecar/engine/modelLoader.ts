import { GgmlType, type Llama, type LlamaContext, type LlamaModel } from 'node-llama-cpp';
import { basename } from 'node:path';
import type { Clock } from '../../base/clock.js';
import { failure, isAbort, LoupeFailure, messageOf } from '../../base/errors.js';
import { kvCacheBytes } from '../../model/fit.js';
import { readGguf } from '../../model/gguf.js';
import { modelShape, type ModelShape } from '../../model/modelShape.js';
import type { KvType, LoadedModel, LoadParams } from '../../protocol/sidecar.js';
import { batchSize, type ContextPlan, isPlan, kvFormatOf, type PlanResult } from './contextPlan.js';
import type { KvLog } from './kvLog.js';
import { RoleRuntime } from './roleRuntime.js';
import type { Weights, WeightStore } from './weightStore.js';

/** The engine knows its types by upper-case names only; any other spelling silently gives F16. */
const ggmlTypes: Readonly<Record<KvType, 'F16' | 'Q8_0' | 'Q4_0'>> = { f16: 'F16', q8_0: 'Q8_0', q4_0: 'Q4_0' };

export interface CheckedModel { readonly shape: ModelShape; readonly fileBytes: number }

/** Reads the file's header with our own reader. Throws `model.*` failures; native code has not seen the file yet. */
export async function checkModel(path: string): Promise<CheckedModel> {
  const header = await readGguf(path);
  if (!header.ok) throw new LoupeFailure(header.error);
  const shape = modelShape(header.value);
  if (!shape) throw failure('model.unsupported', `${basename(path)} is not a language model that Loupe can run.`, 'Choose another model.');
  return { shape, fileBytes: header.value.fileBytes };
}

/** Throws `model.outOfMemory`, which names a context size that would fit, when there is no plan. */
export function planOrFail(params: LoadParams, plan: PlanResult, freeBytes: number): ContextPlan {
  if (isPlan(plan)) return plan;
  throw outOfMemory(params.modelPath, plan.fits, freeBytes);
}

export interface LoadDeps {
  readonly llama: Llama;
  readonly weights: WeightStore;
  readonly clock: Clock;
  /** Collects the engine's log while the context is created. */
  readonly captureLog: (log: KvLog | undefined) => void;
  readonly newKvLog: () => KvLog;
  readonly onProgress: (fraction: number) => void;
  readonly signal: AbortSignal;
}

/** Loads weights (or shares them) and creates the role's context. Throws failures; leaves nothing behind when it does. */
export async function loadRole(deps: LoadDeps, params: LoadParams, checked: CheckedModel, plan: ContextPlan): Promise<RoleRuntime> {
  const began = deps.clock.monotonic();
  let weights: Weights | undefined;
  let context: LlamaContext | undefined;
  try {
    weights = await deps.weights.take(deps.llama, params.modelPath, params.gpu, deps.onProgress, deps.signal);
    const kvLog = deps.newKvLog();
    deps.captureLog(kvLog);
    context = await createContext(weights.model, deps.llama, params, plan, deps.signal);
    await new Promise((resolve) => setImmediate(resolve)); // the engine's log lines arrive as events
    deps.captureLog(undefined);
    assertKvTypes(context, params, kvLog);
    const { model } = weights;
    const { shape } = checked;
    const loaded: LoadedModel = {
      role: params.role, path: params.modelPath, name: shape.name ?? basename(params.modelPath, '.gguf'), architecture: shape.architecture,
      fileBytes: checked.fileBytes, trainContext: shape.trainContext, contextSize: context.contextSize,
      ...(params.reducedFrom === undefined ? {} : { reducedFrom: params.reducedFrom }),
      kvKeys: params.kvKeys, kvValues: params.kvValues,
      kvBytesTotal: kvLog.allocated?.bytes ?? kvCacheBytes(shape.kv, context.contextSize, kvFormatOf(params)) * plan.sequences,
      gpuLayers: model.gpuLayers,
      fillInMiddle: model.tokens.infill.prefix !== null && model.tokens.infill.suffix !== null,
      ...(shape.chatTemplate === undefined ? {} : { chatTemplate: shape.chatTemplate }),
      loadMs: deps.clock.monotonic() - began,
    };
    return new RoleRuntime(params, loaded, shape, weights, context, deps.clock);
  } catch (thrown) {
    deps.captureLog(undefined);
    await context?.dispose();
    await weights?.release();
    if (thrown instanceof LoupeFailure || isAbort(thrown) || deps.signal.aborted) throw thrown;
    throw failure('model.loadFailed', `${basename(params.modelPath)} cannot be loaded: ${messageOf(thrown)}`, 'Choose another model, or look into the log of the sidecar.', thrown);
  }
}

async function createContext(model: LlamaModel, llama: Llama, params: LoadParams, plan: ContextPlan, signal: AbortSignal): Promise<LlamaContext> {
  try {
    return await model.createContext({
      contextSize: plan.contextSize, sequences: plan.sequences, batchSize,
      flashAttention: model.flashAttentionSupported ? true : 'auto',
      experimentalKvCacheKeyType: ggmlTypes[params.kvKeys],
      experimentalKvCacheValueType: ggmlTypes[params.kvValues],
      threads: params.threads === 'auto' ? llama.cpuMathCores : params.threads,
      failedCreationRemedy: false, ignoreMemorySafetyChecks: true, createSignal: signal,
    });
  } catch (thrown) {
    if (isAbort(thrown) || signal.aborted) throw thrown;
    // The engine gives one message for every failure here, and memory is the one left after our checks.
    throw outOfMemory(params.modelPath, Math.floor(plan.contextSize / 2 / 256) * 256, undefined, thrown);
  }
}

function assertKvTypes(context: LlamaContext, params: LoadParams, log: KvLog): void {
  const wanted = { keys: params.kvKeys, values: params.kvValues };
  const said = { keys: GgmlType[context.kvCacheKeyType].toLowerCase(), values: GgmlType[context.kvCacheValueType].toLowerCase() };
  for (const real of [said, log.allocated]) {
    if (!real || (real.keys === wanted.keys && real.values === wanted.values)) continue;
    throw failure('kv.formatIgnored', `The engine uses ${real.keys}/${real.values} for the KV cache instead of ${wanted.keys}/${wanted.values}.`,
      'Choose another KV format in the settings.', undefined, { keys: real.keys, values: real.values });
  }
}

function outOfMemory(path: string, fits: number, freeBytes: number | undefined, cause?: unknown): LoupeFailure {
  const gib = freeBytes === undefined ? '' : ` (${(freeBytes / 2 ** 30).toFixed(1)} GiB are free)`;
  return failure('model.outOfMemory', `There is not enough memory for ${basename(path)}${gib}.`,
    fits > 0 ? `Use a context of ${fits} tokens or fewer, or a smaller model.` : 'Close other programs, or choose a smaller model.', cause, { contextThatFits: fits });
}
