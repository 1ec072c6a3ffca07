import assert from 'node:assert/strict';
import type { LlamaModel, Token } from 'node-llama-cpp';
import { tokenizeSegments } from '../../../src/sidecar/engine/prompt.js';
import { TokenCache } from '../../../src/sidecar/engine/tokenCache.js';

const long = (name: string): string => name.padEnd(40, '.');
const tokensOf = (text: string): Token[] => [...text].map((char) => char.charCodeAt(0) as Token);

suite('tokens of texts that were tokenised before', () => {
  test('are not computed again, each kind for itself, and short ones always', () => {
    const cache = new TokenCache();
    const computed: string[] = [];
    const get = (how: string, text: string): readonly Token[] => cache.get(how, text, () => { computed.push(`${how} ${text.trim()}`); return tokensOf(`${how}${text}`); });
    for (let i = 0; i < 2; i++) {
      assert.deepEqual(get('text', long('a')), tokensOf(`text${long('a')}`));
      assert.deepEqual(get('control', long('a')), tokensOf(`control${long('a')}`));
      get('text', 'b');
    }
    assert.deepEqual(computed, [`text ${long('a')}`, `control ${long('a')}`, 'text b', 'text b']);
  });

  test('those that were not asked for the longest go first, and what is larger than all room is not kept', () => {
    const cache = new TokenCache(150);
    const computed: string[] = [];
    const ask = (name: string): void => void cache.get('t', long(name), () => { computed.push(name); return []; });
    for (const name of ['a', 'b', 'c', 'a', 'd', 'a', 'b']) ask(name);
    assert.deepEqual(computed, ['a', 'b', 'c', 'd', 'b']);
    const huge = (): void => void cache.get('t', 'x'.repeat(151), () => { computed.push('huge'); return []; });
    huge();
    huge();
    ask('a');
    assert.deepEqual(computed.slice(5), ['huge', 'huge']);
  });

  test('a prompt gets the same tokens as without, and text never those of control', () => {
    let calls = 0;
    const model = {
      vocabularyType: 'bpe', fileInfo: { metadata: { tokenizer: { ggml: {} } } },
      tokenize: (text: string, control: boolean) => { calls++; return control ? [1 as Token] : tokensOf(text); },
    } as unknown as LlamaModel;
    const mark = long('<|end|>');
    const segments = [{ text: mark, control: true }, { text: mark, control: false }, { text: 'x', control: false }];
    const expected = [1 as Token, ...tokensOf(mark), ...tokensOf('x')];
    const borders: number[] = [];
    assert.deepEqual(tokenizeSegments(model, segments), expected);
    assert.deepEqual(tokenizeSegments(model, [...segments, { text: long('y'), control: false, border: true }], (end) => borders.push(end)), [...expected, ...tokensOf(long('y'))]);
    assert.deepEqual([calls, borders], [5, [expected.length + 40]]);
  });
});
