import assert from 'node:assert/strict';
import { type CodeNode, highlight, parseHighlighted } from '../../../src/webviews/chat/markdown/highlight.js';

const textOf = (nodes: readonly CodeNode[]): string => nodes.map((node) => (typeof node === 'string' ? node : textOf(node.children))).join('');

suite('webviews: coloured code', () => {
  test('the text is the code, whatever is in it', () => {
    const code = 'const a = "<img src=x onerror=alert(1)> &amp; \'";\n// </span><script>\nconst t = `${a}`;\n';
    for (const language of ['ts', 'javascript', 'python', 'rust', 'html', 'bash', 'json', 'unknown', '']) assert.equal(textOf(highlight(code, language)), code, language);
  });

  test('keywords of a known language have a class', () => {
    const nodes = highlight('const a = 1;', 'typescript');
    assert.ok(nodes.some((node) => typeof node !== 'string' && node.className === 'hljs-keyword' && textOf([node]) === 'const'));
  });

  test('only the two forms of the highlighter are markup', () => {
    const other = '<b>x</b><span class="a" onclick="y">z</span></span>';
    assert.deepEqual(parseHighlighted(other), [other]);
    assert.deepEqual(parseHighlighted('<span class="hljs-a">x &lt;<span class="hljs-b">y</span></span>z'), [
      { className: 'hljs-a', children: ['x <', { className: 'hljs-b', children: ['y'] }] }, 'z',
    ]);
  });

  test('very long code stays plain', () => {
    const code = 'let a = 1;\n'.repeat(20_000);
    assert.deepEqual(highlight(code, 'ts'), [code]);
  });
});
