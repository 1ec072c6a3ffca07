import { strict as assert } from 'node:assert';
import { LoupeFailure } from '../../../src/base/errors.js';
import { everyFormat, presetFormat, type ResolvedKv } from '../../../src/model/kvPresets.js';
import { KvLog } from '../../../src/sidecar/engine/kvLog.js';
import { loadCompressedOrNot, type LoadDeps } from '../../../src/sidecar/engine/modelLoader.js';

const layers = { layers: 2, keyElements: 128, valueElements: 128, keyHead: 128, valueHead: 128 };
const shape = { architecture: 'new', kv: { global: layers, local: { ...layers, layers: 0 }, window: 0 } };
const checked = { shape, fileBytes: 1 } as unknown as Parameters<typeof loadCompressedOrNot>[2];
const params = { role: 'chat', modelPath: '/m.gguf', contextSize: 8192, kvPreset: 'balanced', threads: 2, gpu: 'off' } as Parameters<typeof loadCompressedOrNot>[1];

/** An engine whose log says `line` when a context in `refused` is asked for, and which fails in the way of node-llama-cpp. */
function engine(line: string): { readonly deps: LoadDeps; readonly asked: number[] } {
  const asked: number[] = [];
  let log: KvLog | undefined;
  const model = {
    flashAttentionSupported: true, gpuLayers: 0,
    createContext: ({ experimentalKvCacheKeyType: type, contextSize }: { experimentalKvCacheKeyType: number; contextSize: number }) => {
      asked.push(contextSize);
      setImmediate(() => log?.feed(type === 1 ? '' : line));
      return Promise.reject(new Error(type === 1 ? 'no more of this test' : 'Failed to create context'));
    },
  };
  const deps = {
    binding: { typeOf: (type: string) => (type === 'f16' ? 1 : 2), llama: { cpuMathCores: 2 } }, clock: { monotonic: () => 0, now: () => 0 },
    weights: { take: () => Promise.resolve({ model, release: () => Promise.resolve() }) }, newKvLog: () => new KvLog(),
    captureLog: (next: KvLog | undefined) => { log = next; }, onProgress: () => undefined, signal: new AbortController().signal,
  } as unknown as LoadDeps;
  return { deps, asked };
}

const load = async (line: string): Promise<{ asked: number[]; replanned: ResolvedKv[]; code: string }> => {
  const { deps, asked } = engine(line);
  const replanned: ResolvedKv[] = [];
  const kv: ResolvedKv = { format: presetFormat('balanced', shape) };
  const thrown: unknown = await loadCompressedOrNot(deps, params, checked, kv, { contextSize: 8192, sequences: 1 }, (inF16) => {
    replanned.push(inF16);
    return { contextSize: 4096, sequences: 1 };
  }).then(() => undefined, (error: unknown) => error);
  assert.ok(thrown instanceof LoupeFailure);
  return { asked, replanned, code: thrown.error.code };
};

suite('a cache that the engine refuses to compress (scripted engine)', () => {
  test('is made in f16, planned anew, with a note that says why', async () => {
    const { asked, replanned } = await load('llama_init_from_model: failed to initialize the context: compressed cache types need flash attention and a cache of their own\n');
    assert.deepEqual(asked, [8192, 4096]);
    assert.deepEqual(replanned[0]?.format, presetFormat('exact', shape));
    assert.equal(replanned[0]?.note, 'The KV cache of m.gguf cannot be compressed: compressed cache types need flash attention and a cache of their own. It stays in f16.');
  });

  test('any other failure is not taken for one', async () => {
    const { asked, replanned, code } = await load('llama_kv_cache: failed to allocate buffer\n');
    assert.deepEqual([asked, replanned.length, code], [[8192], 0, 'model.outOfMemory']);
  });

  test('heads that are larger than the kernels take are known before the engine is asked', () => {
    const large = { ...shape, kv: { ...shape.kv, global: { ...layers, keyHead: 576, valueHead: 576 } } };
    assert.deepEqual(presetFormat('balanced', large), presetFormat('exact', large));
    assert.ok(everyFormat.has('kv5'));
  });
});
