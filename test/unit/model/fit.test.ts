import { strict as assert } from 'node:assert';
import { catalogueEntry } from '../../../src/model/catalogue.js';
import { keptByWindow, kvCacheBytes, largestContext, memoryBudget, memoryNeed } from '../../../src/model/fit.js';
import { entryFit } from '../../../src/model/installed.js';
import type { KvFormat } from '../../../src/protocol/kv.js';

const f16: KvFormat = { keys: 'f16', values: 'f16', windowF16: true, f16Rows: 0 };
const gib = 1024 ** 3;
const entry = (id: string): NonNullable<ReturnType<typeof catalogueEntry>> => {
  const found = catalogueEntry(id);
  assert.ok(found, id);
  return found;
};

suite('Memory fit', () => {
  test('Gemma 4 keeps 6, 16, 20 and 80 KiB per token in its global layers', () => {
    const perToken = (id: string): number => {
      const { kv } = entry(id);
      return (kvCacheBytes(kv, 20_000, f16) - kvCacheBytes(kv, 10_000, f16)) / 10_000 / 1024;
    };
    assert.deepEqual(['gemma-4-e2b', 'gemma-4-e4b', 'gemma-4-26b-a4b', 'gemma-4-31b'].map(perToken), [6, 16, 20, 80]);
    assert.equal(kvCacheBytes(entry('gemma-4-31b').kv, 262_144, f16) / gib > 20, true);
  });

  test('sliding-window layers stop growing at the window and one batch', () => {
    const { kv } = entry('gemma-4-26b-a4b');
    const local = 25 * 2 * 8 * 256 * 2;
    assert.equal(kvCacheBytes(kv, 512, f16), 512 * (20 * 1024 + local));
    // Window, batch and one spare cell, rounded up to 256: Gemma 3's window of 512 really gets 1,280 cells.
    assert.equal(kvCacheBytes(kv, 8192, f16), 8192 * 20 * 1024 + 1792 * local);
    assert.equal(keptByWindow({ ...kv, window: 512 }, 8192), 1280);
  });

  test('keys and values count apart, and so do the rows that stay in f16', () => {
    const { kv } = entry('qwen2.5-coder-1.5b');
    const whole = kvCacheBytes(kv, 4096, f16);
    assert.equal(kvCacheBytes(kv, 4096, { ...f16, keys: 'q8_0', values: 'q8_0' }) / whole, 8.5 / 16);
    assert.equal(kvCacheBytes(kv, 4096, { ...f16, values: 'kv4' }) / whole, (16 + 4.125) / 32);
    assert.equal(kvCacheBytes(kv, 4096, { ...f16, keys: 'kv4', values: 'kv4', f16Rows: 704 }) / whole, 4.125 / 16 + 704 / 4096);
  });

  test('window layers stay in f16 where the format says so', () => {
    const { kv } = entry('gemma-4-26b-a4b');
    const local = 1792 * 25 * 8 * 256 * 2;
    assert.equal(kvCacheBytes(kv, 8192, { ...f16, keys: 'kv8', values: 'kv8' }), 8192 * 10 * 1024 * (8.125 / 8) + local * 2);
    assert.equal(kvCacheBytes(kv, 8192, { ...f16, keys: 'q8_0', values: 'q8_0', windowF16: false }), (8192 * 20 * 1024 + local * 2) * 8.5 / 16);
  });

  test('the largest context fits, and one step more does not', () => {
    const model = entryFit(entry('gemma-4-31b'));
    const budget = { bytes: 24 * gib, reason: 'test' };
    const fit = largestContext(model, budget, f16);
    assert.ok(fit.fits);
    assert.equal(fit.contextSize % 256, 0);
    assert.ok(memoryNeed(model, fit.contextSize, f16).totalBytes <= budget.bytes);
    assert.ok(memoryNeed(model, fit.contextSize + 256, f16).totalBytes > budget.bytes);
  });

  test('more memory never gives less context', () => {
    const model = entryFit(entry('gemma-4-e4b'));
    let last = 0;
    for (let bytes = 5 * gib; bytes < 12 * gib; bytes += gib / 7) {
      const fit = largestContext(model, { bytes, reason: 'test' }, f16);
      const size = fit.fits ? fit.contextSize : 0;
      assert.ok(size >= last, `${bytes}`);
      last = size;
    }
    assert.equal(last, 131_072);
  });

  test('a model that does not fit says what it needs', () => {
    const fit = largestContext(entryFit(entry('gemma-4-31b')), memoryBudget({ totalBytes: 8 * gib, availableBytes: 6 * gib }), f16);
    assert.equal(fit.fits, false);
    assert.match(fit.reason, /18\.0 GB of weights.*do not fit/);
  });

  test('the budget leaves room for the editor, and is never more than what is free', () => {
    assert.equal(memoryBudget({ totalBytes: 16 * gib, availableBytes: 15 * gib }).bytes, 12 * gib);
    assert.equal(memoryBudget({ totalBytes: 8 * gib, availableBytes: 7.5 * gib }).bytes, 5 * gib);
    assert.equal(memoryBudget({ totalBytes: 128 * gib, availableBytes: 120 * gib }).bytes, 116 * gib);
    assert.equal(memoryBudget({ totalBytes: 16 * gib, availableBytes: 4 * gib }).bytes, 3 * gib);
    assert.equal(memoryBudget({ totalBytes: 16 * gib, availableBytes: 4 * gib }, 2 * gib).bytes, 5 * gib, 'what our sidecar holds is free for the choice');
    assert.equal(memoryBudget({ totalBytes: 2 * gib, availableBytes: gib / 2 }).bytes, 0);
  });
});
