import assert from 'node:assert/strict';
import { RecentChunks, similarity } from '../../../src/languageServer/inline/recentChunks.js';

const body = (name: string, lines = 30): string => Array.from({ length: lines }, (_, i) => `${name} line ${i}\n`).join('');
const visit = (chunks: RecentChunks, name: string, line = 0, before = body(name), languageId = 'typescript'): void =>
  chunks.visit({ uri: `file:///${name}`, path: name, languageId, line, before, after: `${name} after\n` });

suite('inline: recent chunks', () => {
  test('a place becomes a chunk when it is left, not before', () => {
    const chunks = new RecentChunks();
    visit(chunks, 'a');
    assert.deepEqual(chunks.forFile('file:///b', 'typescript', 10_000), []);
    visit(chunks, 'b');
    assert.deepEqual(chunks.forFile('file:///b', 'typescript', 10_000).map((chunk) => chunk.path), ['a']);
    assert.match(chunks.forFile('file:///b', 'typescript', 10_000)[0]?.text ?? '', /a line 29\na after\n$/);
  });

  test('the file itself is no context of its own', () => {
    const chunks = new RecentChunks();
    visit(chunks, 'a');
    visit(chunks, 'b');
    visit(chunks, 'a');
    assert.deepEqual(chunks.forFile('file:///a', 'typescript', 10_000).map((chunk) => chunk.path), ['b']);
  });

  test('a file of another language is no context; one of its family is', () => {
    const chunks = new RecentChunks();
    visit(chunks, 'a', 0, body('a'), 'python');
    visit(chunks, 'b', 0, body('b'), 'javascriptreact');
    visit(chunks, 'c');
    assert.deepEqual(chunks.forFile('file:///c', 'typescript', 10_000).map((chunk) => chunk.path), ['b']);
    assert.deepEqual(chunks.forFile('file:///c', 'python', 10_000).map((chunk) => chunk.path), ['a']);
  });

  test('typing in one place changes nothing, byte for byte', () => {
    const chunks = new RecentChunks();
    visit(chunks, 'a');
    visit(chunks, 'b');
    const before = JSON.stringify(chunks.forFile('file:///b', 'typescript', 10_000));
    for (let i = 0; i < 20; i++) visit(chunks, 'b', i, body('b') + 'x'.repeat(i));
    assert.equal(JSON.stringify(chunks.forFile('file:///b', 'typescript', 10_000)), before);
  });

  test('a jump of more than 32 lines takes a chunk of the same file', () => {
    const chunks = new RecentChunks();
    visit(chunks, 'a', 10);
    visit(chunks, 'a', 100, body('elsewhere'));
    assert.equal(chunks.forFile('file:///b', 'typescript', 10_000).length, 1);
  });

  test('the newer of two chunks that are alike stays, at the end', () => {
    const chunks = new RecentChunks();
    for (const name of ['a', 'b', 'a', 'c']) visit(chunks, name);
    assert.deepEqual(chunks.forFile('file:///c', 'typescript', 10_000).map((chunk) => chunk.path), ['b', 'a']);
  });

  test('the newest that fit are given, oldest first', () => {
    const chunks = new RecentChunks();
    for (const name of ['a', 'b', 'c', 'd']) visit(chunks, name);
    const one = chunks.forFile('file:///d', 'typescript', 10_000)[0]?.text.length ?? 0;
    assert.deepEqual(chunks.forFile('file:///d', 'typescript', 2 * one + 10).map((chunk) => chunk.path), ['b', 'c']);
    assert.deepEqual(chunks.forFile('file:///d', 'typescript', 0), []);
  });

  test('where no chunk fits, the middle of the newest is given in whole lines', () => {
    const chunks = new RecentChunks();
    for (const name of ['a', 'b', 'c']) visit(chunks, name);
    const [chunk, ...others] = chunks.forFile('file:///c', 'typescript', 100);
    assert.deepEqual(others, []);
    assert.equal(chunk?.path, 'b');
    assert.match(chunk?.text ?? '', /^(?:b line \d+\n){10}$/u);
    assert.ok((chunk?.text ?? '').includes('b line 18\n'), chunk?.text);
    assert.deepEqual(chunks.forFile('file:///c', 'typescript', 30), []);
  });

  test('a full ring drops several at once, so that the prompt keeps its beginning for a while', () => {
    const chunks = new RecentChunks();
    for (let i = 0; i < 40; i++) visit(chunks, `f${i}`);
    const { length } = chunks.forFile('file:///x', 'typescript', 1_000_000);
    assert.ok(length <= 16 && length >= 10, `${length} chunks`);
  });

  test('a closed file is forgotten', () => {
    const chunks = new RecentChunks();
    visit(chunks, 'a');
    visit(chunks, 'b');
    chunks.forget('file:///a');
    assert.deepEqual(chunks.forFile('file:///b', 'typescript', 10_000), []);
  });

  for (const [a, b, expected] of [['x\ny', 'x\ny', 1], ['x\ny', 'x\nz', 1 / 3], ['x', 'y', 0]] as const) {
    test(`similarity of ${JSON.stringify(a)} and ${JSON.stringify(b)}`, () => assert.equal(similarity(a, b), expected));
  }
});
