import assert from 'node:assert/strict';
import { SliceSize } from '../../../src/sidecar/engine/sliceSize.js';

/** The slices in which a prompt is read by a machine of this speed, in tokens per second; a completion was asked for so long ago. */
function slicesOf(prompt: number, perSecond: number, completionAgoMs?: number): number[] {
  let ms = 1_000_000;
  const sizes = new SliceSize(512, { now: () => ms, monotonic: () => ms });
  if (completionAgoMs !== undefined) {
    sizes.completionSeen();
    ms += completionAgoMs;
  }
  const slices: number[] = [];
  for (let left = prompt; left > 0; left -= slices.at(-1) ?? 0) {
    const size = sizes.next(left);
    slices.push(size);
    sizes.measured(size, (size * 1000) / perSecond);
  }
  return slices;
}

suite('slices of a prompt', () => {
  test('follow the speed of the machine, a second each', () => {
    assert.deepEqual(slicesOf(1000, 260), [64, 256, 256, 256, 168]);
    assert.deepEqual(slicesOf(1000, 10_000), [64, 512, 424]);
    assert.deepEqual(slicesOf(200, 40), [64, 64, 72]);
    assert.deepEqual(slicesOf(100, 20), [100]);
    assert.deepEqual(slicesOf(200, 20), [64, 64, 72]);
    assert.deepEqual(slicesOf(200, 7), [64, 64, 16, 16, 16, 16, 8], 'a tile would take more than eight seconds');
  });

  test('one slice that took long changes nothing in how the engine computes, a second one does', () => {
    const sizes = new SliceSize(512, { now: () => 0, monotonic: () => 0 });
    sizes.measured(64, 9000);
    assert.equal(sizes.next(1000), 64);
    sizes.measured(64, 300);
    assert.equal(sizes.next(1000), 64);
    sizes.measured(64, 9000);
    sizes.measured(64, 9000);
    assert.equal(sizes.next(1000), 16);
  });

  test('never leave less than the engine computes at once, so that it always computes in the same way, however fast the machine is', () => {
    for (const prompt of [1, 63, 64, 65, 127, 300, 321, 499, 512, 577, 1000]) {
      for (const speed of [9, 15, 20, 33, 90, 260, 900, 10_000]) {
        const slices = slicesOf(prompt, speed);
        assert.equal(slices.reduce((sum, size) => sum + size, 0), prompt);
        assert.ok(prompt < 64 ? slices.length === 1 : slices.every((size) => size >= 64), `${prompt} at ${speed}: ${slices.join(' ')}`);
        assert.ok(slices.slice(0, -1).every((size) => size % 64 === 0), 'whole tiles but for the last');
      }
    }
  });

  test('are short while a completion may come', () => {
    assert.deepEqual(slicesOf(200, 260, 1000).slice(0, 3), [64, 48, 48]);
    assert.deepEqual(slicesOf(1000, 260, 21_000).slice(0, 3), [64, 256, 256]);
  });

  test('never leave their bounds', () => {
    const sizes = new SliceSize(512, { now: () => 0, monotonic: () => 0 });
    sizes.measured(512, 1);
    assert.equal(sizes.next(100_000), 512);
    for (let i = 0; i < 20; i++) sizes.measured(16, 60_000);
    assert.equal(sizes.next(100_000), 16);
  });
});
