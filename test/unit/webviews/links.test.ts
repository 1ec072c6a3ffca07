import assert from 'node:assert/strict';
import { codeReference, findReferences, linkTarget, parseLocation } from '../../../src/webviews/chat/markdown/links.js';

suite('webviews: what links of an answer may do', () => {
  const check = (destination: string, expected: unknown): void => assert.deepEqual(linkTarget(destination), expected, destination);

  test('web addresses open outside, through the host', () => {
    check('https://example.com/a?b=c#d', { kind: 'external', url: 'https://example.com/a?b=c#d' });
    check('HTTP://example.com', { kind: 'external', url: 'http://example.com/' });
  });

  test('every other scheme is dead', () => {
    for (const text of [
      'javascript:alert(1)', 'JaVaScRiPt:alert(1)', ' javascript:alert(1)', 'java\u0000script:alert(1)', 'java\nscript:alert(1)', 'data:text/html,<script>',
      'command:workbench.action.terminal.new', 'vscode://x', 'vscode-insiders:x', 'file:///etc/passwd', 'mailto:a@b.c', 'blob:x', 'about:blank', 'vbscript:x',
      'ms-settings:x', '//evil.example/x', '\\\\evil\\share', 'https://user:pass@evil.example', 'https://good.example@evil.example', '', '   ',
      `https://evil.example/${'a'.repeat(3000)}`, 'https://exa\u202emple.com',
    ]) check(text, { kind: 'dead' });
  });

  test('places in the workspace, as models write them', () => {
    check('src/a.ts', { kind: 'location', path: 'src/a.ts' });
    check('./src/a.ts#L12', { kind: 'location', path: 'src/a.ts', line: 12 });
    check('src/a.ts:12', { kind: 'location', path: 'src/a.ts', line: 12 });
    check('main.ts:12', { kind: 'location', path: 'main.ts', line: 12 });
    check('src/a.ts:12-20', { kind: 'location', path: 'src/a.ts', line: 12 });
    check('src/a.ts#L12-L20', { kind: 'location', path: 'src/a.ts', line: 12 });
    check('src\\a.ts', { kind: 'location', path: 'src/a.ts' });
    check('src/with%20space.ts', { kind: 'location', path: 'src/with space.ts' });
  });

  test('places outside it are none', () => {
    for (const text of ['/etc/passwd', '../secret', 'src/../../secret', 'src/%2e%2e/%2e%2e/secret', '%2Fetc%2Fpasswd', 'C:\\Windows', '#top', 'a//b.ts', 'src/a\u200b.ts']) check(text, { kind: 'dead' });
  });

  test('running text links references and leaves words alone', () => {
    assert.deepEqual(findReferences('see src/a.ts:12, then'), [
      { text: 'see ' }, { text: 'src/a.ts:12', target: { kind: 'location', path: 'src/a.ts', line: 12 } }, { text: ', then' },
    ]);
    assert.deepEqual(findReferences('(snapshotStore.ts:61)')[1]?.target, { kind: 'location', path: 'snapshotStore.ts', line: 61 });
    for (const text of ['Node.js is fine', 'e.g. this', 'version 1.2.3', 'https://example.com/a/b.html', 'and/or', 'a@b.com', 'at 12:30']) {
      assert.deepEqual(findReferences(text), [{ text }], text);
    }
  });

  test('inline code is a reference when it is nothing else', () => {
    assert.deepEqual(codeReference('src/a.ts:3'), { kind: 'location', path: 'src/a.ts', line: 3 });
    assert.deepEqual(codeReference('main.ts'), { kind: 'location', path: 'main.ts' });
    for (const code of ['matches()', 'a.b', 'import x from "src/a.ts"', 'foo.bar()', 'x.y.z']) assert.equal(codeReference(code), undefined, code);
  });

  test('a long hostile text does not hang the matcher', () => {
    const started = performance.now();
    findReferences('a/'.repeat(20_000));
    findReferences('a.'.repeat(20_000));
    parseLocation(`${'a'.repeat(2000)}:`);
    assert.ok(performance.now() - started < 1000);
  });
});
