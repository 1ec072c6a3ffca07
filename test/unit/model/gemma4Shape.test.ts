import { strict as assert } from 'node:assert';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kvCacheBytes, kvGrowingBytes } from '../../../src/model/fit.js';
import { readGguf } from '../../../src/model/gguf.js';
import { everyFormat, resolveKv } from '../../../src/model/kvPresets.js';
import { modelShape } from '../../../src/model/modelShape.js';
import { kvPresets } from '../../../src/protocol/kv.js';
import { gemma4Files } from '../../support/model/gemma4.js';

const kib = 1024;

/** Of the real models, all layers: layers with keys of their own that keep all tokens, those with a window, and KiB per token in f16. */
const known: Readonly<Record<string, readonly [global: number, local: number, perToken: number]>> = {
  'gemma4-e2b': [3, 12, 6], 'gemma4-e4b': [4, 20, 16], 'gemma4-26b-a4b': [5, 25, 20], 'gemma4-31b': [10, 50, 80],
};

suite('The shape of Gemma 4 from its header', () => {
  let folder = '';
  setup(async () => { folder = await mkdtemp(join(tmpdir(), 'loupe-gemma4-')); });
  teardown(() => rm(folder, { recursive: true }));

  for (const [name, [global, local, perToken]] of Object.entries(known)) {
    test(`${name}: only layers with keys of their own count, and every preset has its own formats`, async () => {
      const { geometryOf, writeHeaderOnly } = await gemma4Files();
      const file = join(folder, 'm.gguf');
      writeHeaderOnly(file, geometryOf(name, { allLayers: true }));
      const header = await readGguf(file);
      assert.ok(header.ok);
      const shape = modelShape(header.value)!;
      assert.deepEqual([shape.kv.global.layers, shape.kv.local.layers], [global, local]);
      assert.deepEqual([shape.kv.global.keyHead, shape.kv.local.keyHead], [512, 256]);
      const resolved = kvPresets.map((preset) => resolveKv(preset, shape, everyFormat));
      assert.deepEqual(resolved.map(({ note }) => note), kvPresets.map(() => undefined));
      const bytes = resolved.map(({ format }) => kvGrowingBytes(shape.kv, format));
      // Keys and values are both stored where one projection makes both.
      assert.deepEqual(bytes, [1, 13.25 / 32, 9.25 / 32, 6.75 / 32, 5.25 / 32].map((share) => share * perToken * kib));
      const smaller = resolved.map(({ format }) => kvCacheBytes(shape.kv, 131_072, format));
      assert.deepEqual(smaller, smaller.toSorted((a, b) => b - a));
    });
  }
});
