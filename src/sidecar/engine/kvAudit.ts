import { kvCacheBytes, kvGrowingBytes, kvTailBytes, kvWindowBytes, largestContext } from '../../model/fit.js';
import { resolveKv } from '../../model/kvPresets.js';
import { kvPresets } from '../../protocol/kv.js';
import type { EngineInfo, KvAudit } from '../../protocol/sidecar.js';
import type { Binding } from './binding.js';
import type { RoleRuntime } from './roleRuntime.js';

/**
 * What this role's KV cache holds, and what it would hold with other presets. Sizes come from the model file's attention shape;
 * `bytesTotal` is what the engine says it allocated, where it says so.
 */
export function auditKv(role: RoleRuntime, binding: Binding, engine: EngineInfo, freeRamBytes: number): KvAudit {
  const { shape, loaded } = role;
  const { kv: format, contextSize } = loaded;
  const sequences = role.pool.all.length;
  // Weights and scratch memory are there already; only the cache would change.
  const cacheOnly = { ...shape, weightsBytes: 0, vocabulary: 0, embedding: 0 };
  const bytes = (freeRamBytes + loaded.kvBytesTotal) / sequences;
  return {
    role: loaded.role,
    model: loaded.name,
    engine,
    weightsBytes: role.model.size,
    contextSize,
    sequences,
    kvPreset: loaded.kvPreset,
    kv: format,
    ...(loaded.kvNote === undefined ? {} : { kvNote: loaded.kvNote }),
    layers: { total: shape.layers, global: shape.kv.global.layers, slidingWindow: shape.kv.local.layers, window: shape.kv.window },
    bytesPerTokenGrowing: kvGrowingBytes(shape.kv, format),
    bytesWindow: kvWindowBytes(shape.kv, contextSize, format) * sequences,
    bytesTail: kvTailBytes(shape.kv, format) * sequences,
    bytesTotal: loaded.kvBytesTotal,
    tokensUsed: role.pool.all.reduce((sum, state) => sum + state.sequence.nextTokenIndex, 0),
    freeRamBytes,
    presets: kvPresets.map((preset) => {
      const { format: kv, note } = resolveKv(preset, shape, binding);
      return {
        preset, kv, ...(note === undefined ? {} : { note }),
        bytesPerToken: kvGrowingBytes(shape.kv, kv),
        bytesTotal: kvCacheBytes(shape.kv, contextSize, kv) * sequences,
        contextThatFits: largestContext(cacheOnly, { bytes, reason: '' }, kv).contextSize,
      };
    }),
  };
}
