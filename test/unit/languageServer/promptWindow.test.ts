import assert from 'node:assert/strict';
import { headToLineEnd, prefixWindow, type PrefixWindow, tailFromLineStart } from '../../../src/languageServer/inline/promptWindow.js';

const lines = (from: number, to: number): string => Array.from({ length: to - from }, (_, i) => `const value${from + i} = compute(${from + i});\n`).join('');

/** A tokenizer of four characters to a token that says how often it was asked. */
function counter(): { count: (text: string) => Promise<number>; calls: () => number } {
  let calls = 0;
  return { count: (text) => Promise.resolve((calls++, Math.ceil(text.length / 4))), calls: () => calls };
}

suite('inline: prompt window', () => {
  test('a small file is taken whole', async () => {
    const { count } = counter();
    assert.equal((await prefixWindow('a\nb\nc', undefined, 100, count)).text, 'a\nb\nc');
  });

  test('a large file gives its end, from a line start, with room to type', async () => {
    const { count } = counter();
    const text = lines(0, 500);
    const window = await prefixWindow(text, undefined, 400, count);
    assert.ok(text.endsWith(`\n${window.text}`));
    assert.ok(window.text.startsWith('const value'));
    assert.ok(window.tokens <= 0.7 * 400 && window.tokens > 0.3 * 400, `${window.tokens} tokens`);
  });

  test('typing 2,000 characters never exceeds the budget and moves the start a few times only', async () => {
    const { count, calls } = counter();
    let text = lines(0, 500);
    let window: PrefixWindow | undefined;
    let moves = 0;
    for (const char of lines(500, 550)) {
      text += char;
      const next = await prefixWindow(text, window, 400, count);
      assert.ok(Math.ceil(next.text.length / 4) <= 400);
      assert.ok(text.endsWith(next.text));
      if (window !== undefined && !next.text.startsWith(window.text)) moves++;
      window = next;
    }
    assert.ok(moves >= 1 && moves <= 5, `${moves} moves`);
    assert.ok(calls() < 60, `${calls()} tokenizer calls for ${lines(500, 550).length} keystrokes`);
  });

  test('lines inserted above leave the start where it is', async () => {
    const { count } = counter();
    const text = lines(0, 500);
    const window = await prefixWindow(text, undefined, 400, count);
    const next = await prefixWindow(`import a from 'a';\n\n${text}`, window, 400, count);
    assert.equal(next.text, window.text);
  });

  test('a jump far up takes a new window', async () => {
    const { count } = counter();
    const text = lines(0, 500);
    const window = await prefixWindow(text, undefined, 400, count);
    const above = text.slice(0, text.indexOf('const value100'));
    const next = await prefixWindow(above, window, 400, count);
    assert.ok(above.endsWith(next.text) && next.text.length > 500);
  });

  test('a move to just below its start takes a new window: there is text above that helps', async () => {
    const { count } = counter();
    const text = lines(0, 500);
    const window = await prefixWindow(text, undefined, 400, count);
    const near = text.slice(0, text.length - window.text.length) + window.text.slice(0, 40);
    const next = await prefixWindow(near, window, 400, count);
    assert.ok(next.text.length > 500, `${next.text.length} characters`);
  });

  test('one endless line is cut inside', async () => {
    const { count } = counter();
    const window = await prefixWindow('x'.repeat(100_000), undefined, 400, count);
    assert.ok(window.tokens > 0 && window.tokens <= 400);
  });

  const checkTail = (text: string, chars: number, expected: string): void => {
    test(`tail of ${JSON.stringify(text)} in ${chars} -> ${JSON.stringify(expected)}`, () => assert.equal(tailFromLineStart(text, chars), expected));
  };
  checkTail('ab\ncd\nef', 8, 'ab\ncd\nef');
  checkTail('ab\ncd\nef', 5, 'cd\nef');
  checkTail('ab\ncd\nef', 4, 'ef');
  checkTail('abcdef', 3, 'def');
  const checkHead = (text: string, chars: number, expected: string): void => {
    test(`head of ${JSON.stringify(text)} in ${chars} -> ${JSON.stringify(expected)}`, () => assert.equal(headToLineEnd(text, chars), expected));
  };
  checkHead('ab\ncd\nef', 8, 'ab\ncd\nef');
  checkHead('ab\ncd\nef', 5, 'ab\n');
  checkHead('ab\ncd\nef', 6, 'ab\ncd\n');
  checkHead('abcdef', 3, 'abc');
});
