import assert from 'node:assert/strict';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { displayPath, insertionAt } from '../../../src/languageServer/documents.js';

suite('inline: path as the model sees it', () => {
  const check = (uri: string, folders: readonly string[], expected: string): void => {
    test(`${uri} in ${folders.join(', ') || 'no folder'} -> ${expected}`, () => assert.equal(displayPath(uri, folders), expected));
  };
  check('file:///repo/src/a.ts', ['file:///repo'], 'src/a.ts');
  check('file:///repo/src/a.ts', ['file:///repo/'], 'src/a.ts');
  check('file:///repo-two/src/a.ts', ['file:///repo'], 'a.ts');
  check('file:///two/b.ts', ['file:///one', 'file:///two'], 'b.ts');
  check('untitled:Untitled-1', [], 'untitled:Untitled-1');
  check('file:///repo/my%20file.ts', ['file:///repo'], 'my file.ts');
  check('file:///repo/100%.ts', ['file:///repo'], '100%.ts');
});

suite('inline: text around a position', () => {
  const document = (text: string): TextDocument => TextDocument.create('file:///repo/a.ts', 'typescript', 1, text);

  test('Windows line ends become one character', () => {
    const insertion = insertionAt(document('a\r\nbc\r\nd'), { line: 1, character: 1 });
    assert.deepEqual([insertion?.cursor.before, insertion?.cursor.after], ['a\nb', 'c\nd']);
  });

  test('of a huge file only what is near is taken, from line starts', () => {
    const text = 'const value = 1;\n'.repeat(50_000);
    const insertion = insertionAt(document(text), { line: 25_000, character: 5 });
    assert.ok(insertion !== undefined && insertion.cursor.before.length <= 65_536 && insertion.cursor.after.length <= 16_384);
    assert.ok(insertion.cursor.before.startsWith('const value') && insertion.cursor.before.endsWith('\nconst'));
  });

  test('a selected entry that does not end at the cursor is refused', () => {
    const selected = { range: { start: { line: 0, character: 0 }, end: { line: 0, character: 4 } }, text: 'push' };
    assert.equal(insertionAt(document('pu x'), { line: 0, character: 2 }, selected), undefined);
  });
});
