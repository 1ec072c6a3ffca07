import { strict as assert } from 'node:assert';
import { catalogueEntry } from '../../../src/model/catalogue.js';
import { bitsPerValue, f16RowsBeside, type KvEngine, type KvShape, pairBits, presetFormat, resolveKv } from '../../../src/model/kvPresets.js';
import { kvPresets } from '../../../src/protocol/kv.js';

const qwen = catalogueEntry('qwen2.5-coder-1.5b') as KvShape;
const stock: KvEngine = { has: (type) => type === 'f16' || type === 'q8_0', lacksBecause: 'stock' };
const withHeads = (size: number, more: Partial<KvShape> = {}): KvShape => ({
  kv: { ...qwen.kv, global: { layers: 1, keyElements: size, valueElements: size, keyHead: size, valueHead: size } }, ...more,
});

suite('KV cache presets', () => {
  test('each is smaller than the one before, and within what it promises of f16', () => {
    const shares = kvPresets.map((preset) => pairBits(presetFormat(preset, qwen)) / 32);
    assert.deepEqual(shares, [1, 13.25 / 32, 9.25 / 32, 6.75 / 32, 5.25 / 32]);
    const promised = [1, 0.42, 0.29, 0.22, 0.165];
    assert.ok(shares.every((share, i) => share <= (promised[i] ?? 0)), String(shares));
  });

  test('a block of 64 values has one byte besides its codes, one of 32 too, and q8_0 two', () => {
    assert.deepEqual((['f16', 'q8_0', 'kv8', 'kv5', 'kv2', 'kv5_32', 'kv3m', 'kv3m_32', 'kv43m', 'kv43m_32'] as const).map(bitsPerValue), [16, 8.5, 8.125, 5.125, 2.125, 5.25, 3.125, 3.25, 3.625, 3.75]);
  });

  test('heads that 64 does not divide have blocks of 32, other heads are not compressed', () => {
    assert.deepEqual(resolveKv('balanced', withHeads(96), { has: () => true }).format, { keys: 'kv5_32', values: 'kv4_32', windowF16: true, f16Rows: f16RowsBeside });
    const odd = resolveKv('balanced', withHeads(80), { has: () => true });
    assert.equal(odd.format.keys, 'f16');
    assert.match(odd.note ?? '', /heads of this model/);
  });

  test('mixed keys have the largest block that goes twice into a head, or 3 bits throughout', () => {
    const keys = (preset: 'compact' | 'smallest'): string[] => [256, 128, 192, 64, 96].map((size) => presetFormat(preset, withHeads(size)).keys);
    assert.deepEqual(keys('compact'), ['kv43m', 'kv43m', 'kv43m_32', 'kv43m_32', 'kv3_32']);
    assert.deepEqual(keys('smallest'), ['kv3m', 'kv3m', 'kv3m_32', 'kv3m_32', 'kv3_32']);
    assert.equal(presetFormat('smallest', withHeads(64)).values, 'kv2');
  });

  test('the stock engine keeps f16 for the presets that put speed first, q8_0 for the small ones, and says what that costs', () => {
    for (const preset of ['faithful', 'balanced'] as const) {
      const { format, note } = resolveKv(preset, qwen, stock);
      assert.deepEqual(format, presetFormat('exact', qwen));
      assert.match(note ?? '', new RegExp(`own engine is not in use here, so the preset "${preset}" keeps its KV cache in f16: [23]\\.\\d times the memory`));
    }
    for (const preset of ['compact', 'smallest'] as const) {
      const { format, note } = resolveKv(preset, qwen, stock);
      assert.deepEqual([format.keys, format.values, format.windowF16, format.f16Rows], ['q8_0', 'q8_0', false, 0]);
      assert.match(note ?? '', new RegExp(`own engine is not in use here, so the preset "${preset}" .*q8_0: [123]\\.\\d times the memory`));
    }
    assert.deepEqual(resolveKv('exact', qwen, stock), { format: presetFormat('exact', qwen) });
    assert.match(resolveKv('compact', qwen, { ...stock, lacksBecause: 'gpu' }).note ?? '', /^On a graphics processor/);
  });

  test('an engine with one of two formats has not the preset', () => {
    assert.equal(resolveKv('balanced', qwen, { has: (type) => type !== 'kv4' }).format.keys, 'q8_0');
  });

  test('without flash attention nothing is compressed', () => {
    for (const shape of [withHeads(128, { architecture: 'gemma2' }), { kv: { ...qwen.kv, global: { ...qwen.kv.global, keyHead: 192 } } }]) {
      const { format, note } = resolveKv('smallest', shape, { has: () => true });
      assert.equal(format.keys, 'f16');
      assert.match(note ?? '', /flash attention/);
    }
  });

  test('upstream\'s formats must fit the window layers too', () => {
    const local = { layers: 1, keyElements: 80, valueElements: 80, keyHead: 80, valueHead: 80 };
    assert.equal(resolveKv('balanced', { kv: { ...qwen.kv, local } }, stock).format.keys, 'f16');
    assert.equal(resolveKv('balanced', { kv: { ...qwen.kv, local } }, { has: () => true }).format.keys, 'kv5');
  });
});
