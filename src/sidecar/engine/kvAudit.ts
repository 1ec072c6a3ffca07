import { type KvAudit, kvTypes } from '../../protocol/sidecar.js';
import { growingBytesPerToken, kvBytes, largestContext, windowBytes, windowCells } from './contextPlan.js';
import type { RoleRuntime } from './roleRuntime.js';

/**
 * What this role's KV cache holds, and what it would hold in other formats. Sizes come from the model file's attention shape;
 * `bytesTotal` is what the engine says it allocated, where it says so.
 */
export function auditKv(role: RoleRuntime, freeRamBytes: number): KvAudit {
  const { shape, loaded } = role;
  const format = { keys: loaded.kvKeys, values: loaded.kvValues };
  const sequences = role.pool.all.length;
  const window = windowBytes(shape, format, windowCells(shape)) * sequences;
  return {
    role: loaded.role,
    model: loaded.name,
    weightsBytes: role.model.size,
    contextSize: loaded.contextSize,
    kvKeys: loaded.kvKeys,
    kvValues: loaded.kvValues,
    layers: { total: shape.layers, global: shape.kv.global.layers, slidingWindow: shape.kv.local.layers, window: shape.kv.window },
    bytesPerTokenGrowing: growingBytesPerToken(shape, format),
    bytesWindow: window,
    bytesTotal: loaded.kvBytesTotal,
    tokensUsed: role.pool.all.reduce((sum, state) => sum + state.sequence.nextTokenIndex, 0),
    freeRamBytes,
    formats: kvTypes.flatMap((keys) => kvTypes.map((values) => {
      const other = { keys, values };
      return {
        keys, values,
        bytesPerToken: growingBytesPerToken(shape, other),
        bytesTotal: kvBytes(shape, other, loaded.contextSize) * sequences,
        contextThatFits: Math.min(shape.trainContext, largestContext(shape, other, (freeRamBytes + loaded.kvBytesTotal) / sequences)),
      };
    })),
  };
}

