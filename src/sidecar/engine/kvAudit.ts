import { keptByWindow, kvBytesPerToken, kvCacheBytes, largestContext } from '../../model/fit.js';
import { type KvAudit, kvTypes } from '../../protocol/sidecar.js';
import { kvFormatOf } from './contextPlan.js';
import type { RoleRuntime } from './roleRuntime.js';

/**
 * What this role's KV cache holds, and what it would hold in other formats. Sizes come from the model file's attention shape;
 * `bytesTotal` is what the engine says it allocated, where it says so.
 */
export function auditKv(role: RoleRuntime, freeRamBytes: number): KvAudit {
  const { shape, loaded } = role;
  const format = kvFormatOf(loaded);
  const sequences = role.pool.all.length;
  // Weights and scratch memory are there already; only the cache would change.
  const cacheOnly = { ...shape, weightsBytes: 0, vocabulary: 0, embedding: 0 };
  const bytes = (freeRamBytes + loaded.kvBytesTotal) / sequences;
  return {
    role: loaded.role,
    model: loaded.name,
    weightsBytes: role.model.size,
    contextSize: loaded.contextSize,
    sequences,
    kvKeys: loaded.kvKeys,
    kvValues: loaded.kvValues,
    layers: { total: shape.layers, global: shape.kv.global.layers, slidingWindow: shape.kv.local.layers, window: shape.kv.window },
    bytesPerTokenGrowing: kvBytesPerToken(shape.kv.global, format),
    bytesWindow: keptByWindow(shape.kv, loaded.contextSize) * kvBytesPerToken(shape.kv.local, format) * sequences,
    bytesTotal: loaded.kvBytesTotal,
    tokensUsed: role.pool.all.reduce((sum, state) => sum + state.sequence.nextTokenIndex, 0),
    freeRamBytes,
    formats: kvTypes.flatMap((keys) => kvTypes.map((values) => ({
      keys, values,
      bytesPerToken: kvBytesPerToken(shape.kv.global, { keys, values }),
      bytesTotal: kvCacheBytes(shape.kv, loaded.contextSize, { keys, values }) * sequences,
      contextThatFits: largestContext(cacheOnly, { bytes, reason: '' }, { keys, values }).contextSize,
    }))),
  };
}
