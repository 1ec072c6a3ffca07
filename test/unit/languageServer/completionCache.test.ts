import assert from 'node:assert/strict';
import { CompletionCache } from '../../../src/languageServer/inline/completionCache.js';

suite('inline: completion cache', () => {
  const stored = { before: 'let x = 1;\nconst total = ', after: '\nend();\n', text: 'sum(items);' };
  const check = (name: string, before: string, after: string, expected: string | undefined, uri = 'file:///a.ts'): void => {
    test(name, () => {
      const cache = new CompletionCache();
      cache.set('file:///a.ts', stored.before, stored.after, stored.text);
      assert.equal(cache.get(uri, before, after), expected);
    });
  };
  check('the same place', stored.before, stored.after, 'sum(items);');
  check('typed through', `${stored.before}sum`, stored.after, '(items);');
  check('typed through an opener that the editor closed', `${stored.before}sum(`, `)${stored.after}`, 'items);');
  check('typed to its end', `${stored.before}sum(items);`, stored.after, undefined);
  check('typed something else', `${stored.before}sub`, stored.after, undefined);
  check('another text before', 'let x = 2;\nconst total = ', stored.after, undefined);
  check('another text after', stored.before, '\nother();\n', undefined);
  check('another file', stored.before, stored.after, undefined, 'file:///b.ts');

  test('taking back what was typed finds it again', () => {
    const cache = new CompletionCache();
    cache.set('u', 'a.', '', 'push(1)');
    for (const [before, expected] of [['a.p', 'ush(1)'], ['a.pu', 'sh(1)'], ['a.p', 'ush(1)'], ['a.', 'push(1)']] as const) {
      assert.equal(cache.get('u', before, ''), expected);
    }
  });

  test('the longest shared prefix wins', () => {
    const cache = new CompletionCache();
    cache.set('u', 'a.', '', 'push(1)');
    cache.set('u', 'a.pu', '', 'll()');
    assert.equal(cache.get('u', 'a.pu', ''), 'll()');
    assert.equal(cache.get('u', 'a.pus', ''), 'h(1)');
  });

  test('an empty completion holds for its place only', () => {
    const cache = new CompletionCache();
    cache.set('u', 'a.', '', '');
    assert.equal(cache.get('u', 'a.', ''), '');
    assert.equal(cache.get('u', 'a.b', ''), undefined);
  });

  test('keeps 250, and the recently used ones', () => {
    const cache = new CompletionCache();
    for (let i = 0; i < 250; i++) cache.set('u', `line ${i}: `, '', 'x');
    assert.equal(cache.get('u', 'line 0: ', ''), 'x');
    cache.set('u', 'line 250: ', '', 'x');
    assert.equal(cache.size, 250);
    assert.equal(cache.get('u', 'line 0: ', ''), 'x');
    assert.equal(cache.get('u', 'line 1: ', ''), undefined);
  });
});
