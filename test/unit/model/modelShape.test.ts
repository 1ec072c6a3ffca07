import { strict as assert } from 'node:assert';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readGguf } from '../../../src/model/gguf.js';
import { type ModelShape, modelShape } from '../../../src/model/modelShape.js';
import { type Entry, ggufFile, qwenLike } from '../../support/model/ggufBuilder.js';

suite('Model shape', () => {
  let folder = '';
  setup(async () => { folder = await mkdtemp(join(tmpdir(), 'loupe-shape-')); });
  teardown(() => rm(folder, { recursive: true }));

  const shapeOf = async (content: Buffer): Promise<ModelShape | undefined> => {
    await writeFile(join(folder, 'm.gguf'), content);
    const header = await readGguf(join(folder, 'm.gguf'));
    assert.ok(header.ok);
    return modelShape(header.value);
  };
  const base = (architecture: string, more: readonly Entry[]): Buffer => ggufFile([
    ['general.architecture', architecture], [`${architecture}.context_length`, 131072], [`${architecture}.embedding_length`, 1536], ...more,
  ], []);

  test('head sizes follow from the embedding where the file does not say them', async () => {
    const shape = await shapeOf(qwenLike());
    assert.deepEqual(shape?.kv, { global: { layers: 2, keyElements: 32, valueElements: 32, keyHead: 16, valueHead: 16 }, local: { layers: 0, keyElements: 0, valueElements: 0, keyHead: 0, valueHead: 0 }, window: 0 });
    assert.equal(shape?.fillInMiddle, true);
    assert.equal(shape?.name, 'Tiny Coder');
  });

  test('Gemma 3: every sixth layer is global', async () => {
    const shape = await shapeOf(base('gemma3', [
      ['gemma3.block_count', 18], ['gemma3.attention.head_count', 4], ['gemma3.attention.head_count_kv', 1],
      ['gemma3.attention.key_length', 256], ['gemma3.attention.value_length', 256], ['gemma3.attention.sliding_window', 512],
    ]));
    assert.equal(shape?.kv.global.layers, 3);
    assert.equal(shape?.kv.local.layers, 15);
    assert.equal(shape?.kv.window, 512);
  });

  test('Gemma 4 E2B: 15 of 35 layers have their own KV, 3 of them global with heads of 512', async () => {
    const pattern = Array.from({ length: 35 }, (_, i) => (i % 5 === 4 ? 0 : 1));
    const shape = await shapeOf(base('gemma4', [
      ['gemma4.block_count', 35], ['gemma4.attention.head_count', 8], ['gemma4.attention.head_count_kv', 1],
      ['gemma4.attention.key_length', 512], ['gemma4.attention.value_length', 512],
      ['gemma4.attention.key_length_swa', 256], ['gemma4.attention.value_length_swa', 256],
      ['gemma4.attention.sliding_window', 512], ['gemma4.attention.shared_kv_layers', 20], ['gemma4.attention.sliding_window_pattern', pattern],
    ]));
    assert.deepEqual(shape?.kv, {
      global: { layers: 3, keyElements: 512, valueElements: 512, keyHead: 512, valueHead: 512 }, local: { layers: 12, keyElements: 256, valueElements: 256, keyHead: 256, valueHead: 256 }, window: 512,
    });
    const perToken = (shape?.kv.global.layers ?? 0) * 1024 * 2;
    assert.equal(perToken, 6 * 1024, 'six KiB per token in f16');
  });

  test('a window without a known pattern counts as global: more memory, never less', async () => {
    const shape = await shapeOf(base('novel', [['novel.block_count', 4], ['novel.attention.head_count', 8], ['novel.attention.sliding_window', 128]]));
    assert.equal(shape?.kv.global.layers, 4);
    assert.equal(shape?.kv.window, 0);
  });

  test('numbers that make no sense give no shape', async () => {
    assert.equal(await shapeOf(ggufFile([['general.architecture', 'x']], [])), undefined);
    assert.equal(await shapeOf(base('x', [['x.block_count', 4_000_000_000], ['x.attention.head_count', 8]])), undefined);
    assert.equal(await shapeOf(ggufFile([], [])), undefined);
  });
});
