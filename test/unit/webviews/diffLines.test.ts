import assert from 'node:assert/strict';
import { diffLines } from '../../../src/webviews/chat/model/diffLines.js';

const diff = (before: string, after: string, limit = 100): ReturnType<typeof diffLines> => diffLines({ path: 'a.ts', before, after }, limit);

suite('webviews: diff of an edit', () => {
  test('changed lines with numbers and three lines around them', () => {
    const before = Array.from({ length: 20 }, (_, n) => `line ${n + 1}`).join('\n') + '\n';
    const { lines, added, removed, omitted } = diff(before, before.replace('line 10\n', 'ten\n'));
    assert.deepEqual({ added, removed, omitted }, { added: 1, removed: 1, omitted: 0 });
    assert.deepEqual(lines.map(({ kind }) => kind), ['gap', 'context', 'context', 'context', 'removed', 'added', 'context', 'context', 'context']);
    assert.deepEqual(lines[4], { kind: 'removed', text: 'line 10', oldLine: 10 });
    assert.deepEqual(lines[5], { kind: 'added', text: 'ten', newLine: 10 });
  });

  test('a new file is all additions', () => {
    const { lines, added, removed } = diff('', 'a\nb\n');
    assert.deepEqual([lines.map(({ kind }) => kind), added, removed], [['added', 'added'], 2, 0]);
  });

  test('an end without a new line is said', () => {
    assert.ok(diff('a\n', 'a').lines.some(({ kind, text }) => kind === 'note' && /No newline/i.test(text)));
  });

  test('shared CRLF is no change; a switch of line ends is said', () => {
    const kept = diff('a\r\nb\r\n', 'a\r\nc\r\n');
    assert.deepEqual(kept.lines.map(({ kind, text }) => [kind, text]), [['context', 'a'], ['removed', 'b'], ['added', 'c']]);
    const switched = diff('a\r\nb\r\n', 'a\nb\n');
    assert.equal(switched.lines.at(-1)?.text, 'line ends change from CRLF to LF');
  });

  test('a long diff says how much it leaves out, and counts all of it', () => {
    const { lines, added, omitted } = diff('', 'x\n'.repeat(500), 60);
    assert.deepEqual([lines.length, added, omitted], [60, 500, 440]);
  });
});
