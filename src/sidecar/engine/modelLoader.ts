import type { LlamaContext, LlamaModel } from 'node-llama-cpp';
import { basename } from 'node:path';
import type { Clock } from '../../base/clock.js';
import { failure, isAbort, LoupeFailure, messageOf } from '../../base/errors.js';
import { kvCacheBytes } from '../../model/fit.js';
import { readGguf } from '../../model/gguf.js';
import { presetFormat, type ResolvedKv } from '../../model/kvPresets.js';
import { modelShape, type ModelShape } from '../../model/modelShape.js';
import type { KvType } from '../../protocol/kv.js';
import type { LoadedModel, LoadParams } from '../../protocol/sidecar.js';
import type { Binding } from './binding.js';
import { batchSize, type ContextPlan, isPlan, type PlanResult } from './contextPlan.js';
import type { KvLog } from './kvLog.js';
import { modelHash } from '../../model/verify.js';
import { hashRecords, modelsDirectory } from '../../model/paths.js';
import { RoleRuntime } from './roleRuntime.js';
import type { SnapshotDeps } from './roleSnapshots.js';
import type { Weights, WeightStore } from './weightStore.js';

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
  readonly binding: Binding;
  readonly weights: WeightStore;
  readonly snapshots: SnapshotDeps;
  readonly clock: Clock;
  /** Collects the engine's log while the context is created. */
  readonly captureLog: (log: KvLog | undefined) => void;
  readonly newKvLog: () => KvLog;
  readonly onProgress: (fraction: number) => void;
  readonly signal: AbortSignal;
}

/** Loads weights (or shares them) and creates the role's context. Throws failures; leaves nothing behind when it does. */
export async function loadRole(deps: LoadDeps, params: LoadParams, checked: CheckedModel, kv: ResolvedKv, plan: ContextPlan): Promise<RoleRuntime> {
  const began = deps.clock.monotonic();
  let weights: Weights | undefined;
  let context: LlamaContext | undefined;
  try {
    weights = await deps.weights.take(deps.binding.llama, params.modelPath, params.gpu, deps.onProgress, deps.signal);
    const kvLog = deps.newKvLog();
    deps.captureLog(kvLog);
    context = await createContext(weights.model, deps.binding, params, kv, plan, kvLog, deps.signal);
    await new Promise((resolve) => setImmediate(resolve)); // the engine's log lines arrive as events
    deps.captureLog(undefined);
    assertKvTypes(context, deps.binding, kv, kvLog);
    const { model } = weights;
    const { shape } = checked;
    const loaded: LoadedModel = {
      role: params.role, path: params.modelPath, name: shape.name ?? basename(params.modelPath, '.gguf'), architecture: shape.architecture,
      fileBytes: checked.fileBytes, trainContext: shape.trainContext, contextSize: context.contextSize,
      ...(params.reducedFrom === undefined ? {} : { reducedFrom: params.reducedFrom }),
      kvPreset: params.kvPreset, kv: kv.format, ...(kv.note === undefined ? {} : { kvNote: kv.note }),
      kvBytesTotal: kvLog.allocated?.bytes ?? kvCacheBytes(shape.kv, context.contextSize, kv.format) * plan.sequences,
      gpuLayers: model.gpuLayers,
      fillInMiddle: model.tokens.infill.prefix !== null && model.tokens.infill.suffix !== null,
      ...(shape.chatTemplate === undefined ? {} : { chatTemplate: shape.chatTemplate }),
      loadMs: deps.clock.monotonic() - began,
    };
    return new RoleRuntime(params, loaded, shape, weights, context, deps.clock, deps.snapshots,
      (path, signal) => modelHash(path, signal, undefined, hashRecords(path, modelsDirectory())));
  } catch (thrown) {
    deps.captureLog(undefined);
    await context?.dispose();
    await weights?.release();
    if (thrown instanceof LoupeFailure || isAbort(thrown) || deps.signal.aborted) throw thrown;
    throw failure('model.loadFailed', `${basename(params.modelPath)} cannot be loaded: ${messageOf(thrown)}`, 'Choose another model, or look into the log of the sidecar.', thrown);
  }
}

/** As {@link loadRole}; where the engine turns out to be unable to compress this model's cache, in f16 with a note that says so. `replan`: the context in f16. */
export async function loadCompressedOrNot(
  deps: LoadDeps, params: LoadParams, checked: CheckedModel, kv: ResolvedKv, plan: ContextPlan, replan: (kv: ResolvedKv) => ContextPlan,
): Promise<RoleRuntime> {
  try {
    return await loadRole(deps, params, checked, kv, plan);
  } catch (thrown) {
    if (!(thrown instanceof LoupeFailure) || thrown.error.code !== 'kv.refused') throw thrown;
    const inF16: ResolvedKv = { format: presetFormat('exact', checked.shape), note: `${thrown.error.message} It stays in f16.` };
    return loadRole(deps, params, checked, inF16, replan(inF16));
  }
}

async function createContext(
  model: LlamaModel, binding: Binding, params: LoadParams, { format }: ResolvedKv, plan: ContextPlan, log: KvLog, signal: AbortSignal,
): Promise<LlamaContext> {
  if (isCompressed(format.values) && !model.flashAttentionSupported) {
    throw failure('kv.flashAttention', `${basename(params.modelPath)} cannot run with flash attention, which a compressed KV cache needs.`,
      'Choose the preset "exact" in the setting loupe.kv.preset.');
  }
  const types = { experimentalKvCacheKeyType: binding.typeOf(format.keys), experimentalKvCacheValueType: binding.typeOf(format.values) };
  try {
    return await model.createContext({
      contextSize: plan.contextSize, sequences: plan.sequences, batchSize, ...types,
      flashAttention: model.flashAttentionSupported ? true : 'auto',
      threads: params.threads === 'auto' ? binding.llama.cpuMathCores : params.threads,
      failedCreationRemedy: false, ignoreMemorySafetyChecks: true, createSignal: signal,
    });
  } catch (thrown) {
    if (isAbort(thrown) || signal.aborted) throw thrown;
    await new Promise((resolve) => setImmediate(resolve)); // the engine's log lines arrive as events
    if (log.refusal !== undefined && isCompressed(format.values)) {
      throw failure('kv.refused', `The KV cache of ${basename(params.modelPath)} cannot be compressed: ${log.refusal}.`, 'Choose the preset "exact" in the setting loupe.kv.preset.', thrown);
    }
    // The engine gives one message for every failure here, and memory is the one left after our checks.
    throw outOfMemory(params.modelPath, Math.floor(plan.contextSize / 2 / 256) * 256, undefined, thrown);
  }
}

const isCompressed = (type: KvType): boolean => type !== 'f16';

/**
 * The engine takes an unknown type for f16 without a word. So both are compared with what was asked for: the types that the context says it
 * has, and the ones in the engine's log. The caches of window layers may be f16 beside it.
 */
function assertKvTypes(context: LlamaContext, binding: Binding, { format }: ResolvedKv, log: KvLog): void {
  const refuse = (keys: string, values: string): never => {
    throw failure('kv.formatIgnored', `The engine uses ${keys}/${values} for the KV cache instead of ${format.keys}/${format.values}.`,
      'Choose the preset "exact" in the setting loupe.kv.preset, and please report it.', undefined, { keys, values });
  };
  const [keys, values]: readonly [number, number] = [context.kvCacheKeyType, context.kvCacheValueType];
  if (keys !== binding.typeOf(format.keys) || values !== binding.typeOf(format.values)) refuse(`type ${keys}`, `type ${values}`);
  const { allocated } = log;
  if (!allocated) return;
  const right = (types: readonly string[], wanted: KvType): boolean => types.includes(wanted) && types.every((type) => type === wanted || (format.windowF16 && type === 'f16'));
  if (!right(allocated.keys, format.keys) || !right(allocated.values, format.values)) refuse(allocated.keys.join('+'), allocated.values.join('+'));
}

function outOfMemory(path: string, fits: number, freeBytes: number | undefined, cause?: unknown): LoupeFailure {
  const gib = freeBytes === undefined ? '' : ` (${(freeBytes / 2 ** 30).toFixed(1)} GiB are free)`;
  return failure('model.outOfMemory', `There is not enough memory for ${basename(path)}${gib}.`,
    fits > 0 ? `Use a context of ${fits} tokens or fewer, or a smaller model.` : 'Close other programs, or choose a smaller model.', cause, { contextThatFits: fits });
}
