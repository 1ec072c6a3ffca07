import assert from 'node:assert/strict';
import { AdaptiveDebounce, likelihood, wait } from '../../../src/languageServer/inline/debounce.js';
import { at } from '../../support/languageServer/at.js';

suite('inline: adaptive debounce', () => {
  const check = (name: string, typingMs: number, responseMs: number, marked: string, expectedMs: number): void => {
    test(name, () => {
      const debounce = new AdaptiveDebounce();
      for (let i = 0; i < 60; i++) debounce.typed(i * typingMs);
      for (let i = 0; i < 60; i++) debounce.responded(responseMs);
      assert.ok(Math.abs(debounce.delayMs(at(marked)) - expectedMs) < 1, `${debounce.delayMs(at(marked))} instead of ${expectedMs}`);
    });
  };
  check('likely place, quick model', 200, 10, 'const a = |', 1.5 * 200 - 10);
  check('unlikely place, quick model', 200, 10, 'const ab| = 1', 3 * 200 - 10);
  check('a slow model starts no sooner than the pace of typing', 200, 5000, 'const a = |', 1.2 * 200);
  check('never longer than a second', 900, 0, 'const ab| = 1', 1000);
  check('never shorter than 60 ms', 20, 100, 'const a = |', 60);

  test('a pause for thought is not a typing interval', () => {
    const debounce = new AdaptiveDebounce();
    for (let i = 0; i < 60; i++) debounce.typed(i * 100);
    const before = debounce.delayMs(at('a = |'));
    debounce.typed(60 * 100 + 30_000);
    assert.equal(debounce.delayMs(at('a = |')), before);
  });

  for (const [marked, expected] of [['a = |', 1], ['ab|', 0.4], ['f(|x)', 0.6], ['ab| = 1', 0]] as const) {
    test(`likelihood at ${marked} is ${expected}`, () => assert.equal(likelihood(at(marked)), expected));
  }

  test('an abort ends the wait at once', async () => {
    const controller = new AbortController();
    const started = performance.now();
    const waiting = wait(5000, controller.signal);
    controller.abort();
    await assert.rejects(waiting, { name: 'AbortError' });
    assert.ok(performance.now() - started < 1000);
  });
});
