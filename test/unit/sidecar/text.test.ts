import { strict as assert } from 'node:assert';
import { StopMatcher } from '../../../src/sidecar/engine/stopMatcher.js';
import { TokenText } from '../../../src/sidecar/engine/tokenText.js';

/** What comes out for each piece, and what is left at the end. */
function check(stops: string[], pieces: string[], expected: string[], rest: string, stopped: boolean): void {
  const matcher = new StopMatcher(stops);
  assert.deepEqual(pieces.map((piece) => matcher.push(piece)), expected);
  assert.equal(matcher.stopped, stopped);
  assert.equal(matcher.flush(), rest);
}

suite('Stop strings', () => {
  test('text without one passes through', () => check(['<end>'], ['hello', ' world'], ['hello', ' world'], '', false));
  test('one in a single piece ends the text before it', () => check(['<end>'], ['a<end>b'], ['a'], '', true));
  test('one spread over pieces never shows a part of itself', () => check(['<end>'], ['a<', 'en', 'd>', 'b'], ['a', '', '', ''], '', true));
  test('a beginning that leads nowhere is shown later', () => check(['<end>'], ['a<en', 'x'], ['a', '<enx'], '', false));
  test('a beginning at the very end is shown by flush', () => check(['<end>'], ['a<en'], ['a'], '<en', false));
  test('the earliest of several wins', () => check(['two', 'one'], ['zero one two'], ['zero '], '', true));
  test('overlapping beginnings are kept whole', () => check(['aab'], ['aa', 'aa', 'b'], ['', 'aa', ''], '', true));
  test('an empty stop string is no stop string', () => check([''], ['text'], ['text'], '', false));
  test('whatever the pieces, the result is the text before the first stop', () => {
    const text = 'for (i\n\n\nx) { \n\n} </s> <|im_end|>';
    const stops = ['\n\n}', '</s>', '<|im_end|>', '\n\n\n\n'];
    for (let size = 1; size < text.length; size++) {
      const matcher = new StopMatcher(stops);
      let out = '';
      for (let i = 0; i < text.length; i += size) out += matcher.push(text.slice(i, i + size));
      assert.equal(out, 'for (i\n\n\nx) { ', `pieces of ${size}`);
    }
  });
});

/** Tokens are single bytes. */
const bytes = (tokens: readonly number[]): string => Buffer.from(tokens).toString('utf8');

suite('Text of tokens', () => {
  test('shows whole characters only', () => {
    const text = new TokenText(bytes);
    const out = [...Buffer.from('aé€😀b')].map((byte) => text.push(byte));
    assert.deepEqual(out, ['a', '', 'é', '', '', '€', '', '', '', '😀', 'b']);
    assert.equal(text.flush(), '');
  });

  test('gives up waiting for bytes that never make a character', () => {
    const text = new TokenText(bytes);
    let out = '';
    for (let i = 0; i < 8; i++) out += text.push(0xff);
    assert.equal(out, '\uFFFD'.repeat(8));
  });

  test('flush shows what was left unfinished', () => {
    const text = new TokenText(bytes);
    assert.equal(text.push(0xe2), '');
    assert.equal(text.flush(), '\uFFFD');
  });

  test('tells the detokenizer what came before', () => {
    const seen: (readonly number[])[] = [];
    const text = new TokenText((tokens, before) => { seen.push(before); return bytes(tokens); });
    for (const byte of Buffer.from('abcdefg')) text.push(byte);
    assert.deepEqual(seen.at(-1), [...Buffer.from('cdef')]);
  });
});
