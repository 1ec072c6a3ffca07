import assert from 'node:assert/strict';
import { GrowingMarkdown, splitBlocks } from '../../../src/webviews/chat/markdown/blocks.js';
import { answer } from '../../support/webviews/recorded.js';

const samples = [
  answer,
  '# Title\n\ntext\n\n- a\n\n- b\n  continued\n\n1. one\n2. two\n\n> quote\nlazy\n\n```js\nlet a = 1;\n\n\nlet b;\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n---\n\nend\n===\n\n    indented\n\n    more\n',
  'one\n\n~~~\nfence with ``` inside\n~~~\ntext right after\n```\nnever closed\n',
  '\n\n\nleading blank lines\n\n\n\ntrailing\n\n\n',
];

suite('webviews: Markdown that grows', () => {
  test('blocks join to the text they were cut from', () => {
    for (const sample of samples) assert.equal(splitBlocks(sample, {}).map(({ source }) => source).join(''), sample);
  });

  test('growing by any steps gives the blocks of the whole', () => {
    const shape = (blocks: readonly { source: string; tokens: readonly { type: string; content: string }[] }[]): unknown =>
      blocks.map(({ source, tokens }) => [source, tokens.map(({ type, content }) => [type, content])]);
    for (const sample of samples) {
      for (const step of [1, 3, 7, 50]) {
        const growing = new GrowingMarkdown();
        for (let end = step; end < sample.length; end += step) growing.update(sample.slice(0, end), false);
        assert.deepEqual(shape(growing.update(sample, false)), shape(splitBlocks(sample, {})), `step ${step}`);
        assert.deepEqual(shape(growing.update(sample, true)), shape(splitBlocks(sample, {})), `finished, step ${step}`);
      }
    }
  });

  test('blocks before the last keep their identity, so they are not drawn again', () => {
    const growing = new GrowingMarkdown();
    const before = growing.update('one\n\ntwo\n\nthr', false);
    const after = growing.update('one\n\ntwo\n\nthree', false);
    assert.equal(after.length, 3);
    assert.equal(after[0], before[0]);
    assert.equal(after[1], before[1]);
    assert.notEqual(after[2], before[2]);
    const finished = growing.update('one\n\ntwo\n\nthree', true);
    assert.deepEqual([finished[0] === after[0], finished[1] === after[1], finished[2] === after[2]], [true, true, true]);
  });

  test('a fence is open until its end has come', () => {
    const growing = new GrowingMarkdown();
    assert.equal(growing.update('```ts\nlet a', false).at(-1)?.open, true);
    assert.equal(growing.update('```ts\nlet a\n``', false).at(-1)?.open, true);
    assert.equal(growing.update('```ts\nlet a\n```', false).at(-1)?.open, false);
    assert.equal(splitBlocks('````\n```\n', {})[0]?.open, true);
  });

  test('link definitions at the end reach the blocks before them once the text is finished', () => {
    const growing = new GrowingMarkdown();
    growing.update('see [it][x]\n\nmore\n\n[x]: https://example.com', false);
    const [first] = growing.update('see [it][x]\n\nmore\n\n[x]: https://example.com', true);
    assert.ok(first?.tokens[1]?.children?.some(({ type }) => type === 'link_open'));
  });

  test('a text that is replaced starts over', () => {
    const growing = new GrowingMarkdown();
    growing.update('first\n\nanswer', false);
    assert.deepEqual(growing.update('other', false).map(({ source }) => source), ['other']);
  });

  test('a token costs the last block, not the answer', () => {
    const long = 'A paragraph of some words.\n\n'.repeat(3000);
    const growing = new GrowingMarkdown();
    growing.update(long, false);
    const started = performance.now();
    for (let n = 1; n <= 200; n++) growing.update(`${long}${'word '.repeat(n)}`, false);
    const each = (performance.now() - started) / 200;
    const whole = performance.now();
    splitBlocks(long, {});
    assert.ok(each < (performance.now() - whole) / 4, `${each.toFixed(2)} ms for a token`);
  });
});
