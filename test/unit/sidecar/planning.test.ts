import { strict as assert } from 'node:assert';
import { presetFormat, resolveKv } from '../../../src/model/kvPresets.js';
import type { ModelShape } from '../../../src/model/modelShape.js';
import type { LoadParams } from '../../../src/protocol/sidecar.js';
import { isPlan, planContext } from '../../../src/sidecar/engine/contextPlan.js';
import { KvLog } from '../../../src/sidecar/engine/kvLog.js';

const gib = 2 ** 30;
/** The shape of Qwen2.5-Coder 1.5B: 28 KiB of f16 cache per token. */
const shape: ModelShape = {
  architecture: 'qwen2', name: 'x', trainContext: 32_768, layers: 28, embedding: 1536, vocabulary: 151_936, fillInMiddle: true,
  kv: { global: { layers: 28, keyElements: 256, valueElements: 256, keyHead: 128, valueHead: 128 }, local: { layers: 0, keyElements: 0, valueElements: 0, keyHead: 0, valueHead: 0 }, window: 0 },
  chatTemplate: undefined, license: undefined, parts: 1,
};
const params = (contextSize: number | 'auto'): LoadParams =>
  ({ role: 'chat', modelPath: 'm', contextSize, kvPreset: 'exact', threads: 'auto', gpu: 'off' });

const exact = { format: presetFormat('exact', shape) };

suite('Context plan', () => {
  test('an explicit size is kept where it fits, and cut to what the model knows', () => {
    assert.deepEqual(planContext(params(8192), shape, exact, gib, 16 * gib), { contextSize: 8192, sequences: 2 });
    assert.deepEqual(planContext(params(1_000_000), shape, exact, gib, 64 * gib), { contextSize: 32_768, sequences: 2 });
  });

  test('where it does not fit, the answer names a size that does', () => {
    const tight = planContext(params(32_768), shape, exact, gib, 2 * gib);
    assert.ok(!isPlan(tight) && tight.fits > 0 && tight.fits < 32_768);
    const again = planContext(params(tight.fits), shape, exact, gib, 2 * gib);
    assert.deepEqual(again, { contextSize: tight.fits, sequences: 1 });
  });

  test('an engine without the formats of the preset takes what fits of the size that was asked for', () => {
    const without = resolveKv('compact', shape, { has: (type) => type === 'q8_0', lacksBecause: 'stock' });
    const plan = planContext(params(32_768), shape, without, gib, 1.7 * gib);
    assert.ok(isPlan(plan) && plan.contextSize >= 512 && plan.contextSize < 32_768, JSON.stringify(plan));
    assert.deepEqual(planContext(params(4096), shape, without, gib, gib), { fits: 0 });
  });

  test('where nothing fits, no size is named', () => assert.deepEqual(planContext(params(4096), shape, exact, gib, gib), { fits: 0 }));

  test('auto takes less on a small machine, and never all of it', () => {
    const sizes = [2, 3, 4, 8, 32].map((free) => {
      const plan = planContext(params('auto'), shape, exact, gib, free * gib);
      return isPlan(plan) ? plan.contextSize : 0;
    });
    assert.deepEqual([...sizes].sort((a, b) => a - b), sizes);
    assert.equal(sizes.at(-1), 16_384);
    assert.ok((sizes[1] ?? 0) < 16_384 && (sizes[1] ?? 0) >= 512, String(sizes));
  });
});

suite('KV cache in the engine’s log', () => {
  test('adds up the caches of a sliding-window model', () => {
    const log = new KvLog();
    for (const line of [
      'llama_kv_cache: size =   18.38 MiB (  4096 cells,   3 layers,  2/2 seqs), K (q8_0):    6.38 MiB, V (f16):   12.00 MiB',
      'llama_kv_cache_iswa: creating     SWA KV cache, size = 1280 cells',
      'llama_kv_cache: size =   28.71 MiB (  1280 cells,  15 layers,  2/2 seqs), K (q8_0):    9.96 MiB, V (f16):   18.75 MiB',
    ]) log.feed(line);
    assert.deepEqual(log.allocated, { bytes: Math.round(47.09 * 2 ** 20), keys: ['q8_0'], values: ['f16'] });
  });

  test('the short-lived cache that queries and keys were measured with does not count', () => {
    const log = new KvLog();
    for (const line of [
      'llama_kv_cache: size =    3.50 MiB (   128 cells,  28 layers,  1/1 seqs), K (f16):    1.75 MiB, V (f16):    1.75 MiB',
      'kv_measure: queries and keys measured in 812 ms',
      'llama_kv_cache: size =   18.38 MiB (  4096 cells,   3 layers,  2/2 seqs), K (kv5):    6.38 MiB, V (kv4):   12.00 MiB',
    ]) log.feed(line);
    assert.deepEqual(log.allocated, { bytes: Math.round(18.38 * 2 ** 20), keys: ['kv5'], values: ['kv4'] });
  });

  test('says nothing when the engine does not', () => assert.equal(new KvLog().allocated, undefined));
});
