import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Entry, markOf, readEntry, replaceEntry } from '../../../../src/agent/workspace/entries.js';
import { FileBatches, type FileChange } from '../../../../src/agent/workspace/fileBatch.js';
import { snapshot } from '../../security/support.js';
import { codeOf, withFolder } from '../support/folder.js';

const file = (text: string, executable = false): Entry => ({ kind: 'file', executable, content: Buffer.from(text) });
const change = (path: string, from: string | undefined, to: string | undefined): FileChange =>
  ({ path, from: from === undefined ? undefined : file(from), to: to === undefined ? undefined : file(to) });

suite('entries of a folder', () => {
  test('are replaced as a whole and leave nothing beside them; bytes, mode and links stay what they are', () => withFolder({ 'a.sh': 'old', 'b.bin': Buffer.from([0, 255, 13, 10]) }, async (root) => {
    await chmod(join(root, 'a.sh'), 0o640);
    await replaceEntry(root, 'a.sh', markOf(file('old')), file('new', true));
    await replaceEntry(root, 'deep/er/c', 'absent', { kind: 'file', executable: false, content: Buffer.from([255, 0, 1]) });
    assert.deepEqual(await readEntry(root, 'b.bin'), { kind: 'file', executable: false, content: Buffer.from([0, 255, 13, 10]) });
    assert.deepEqual([...await readFile(join(root, 'deep/er/c'))], [255, 0, 1]);
    assert.deepEqual((await readdir(root)).sort(), ['a.sh', 'b.bin', 'deep']);
    if (process.platform === 'win32') return;
    assert.equal((await stat(join(root, 'a.sh'))).mode & 0o777, 0o751);
    await replaceEntry(root, 'l', 'absent', { kind: 'link', executable: false, content: Buffer.from('b.bin') });
    assert.equal(await readlink(join(root, 'l')), 'b.bin');
    await replaceEntry(root, 'l', markOf(await readEntry(root, 'l')), file('now a file'));
    assert.equal(await readFile(join(root, 'l'), 'utf8'), 'now a file');
    assert.equal((await readFile(join(root, 'b.bin'))).length, 4, 'what the link led to is untouched');
  }));

  test('folders that become empty go, others stay', () => withFolder({ 'x/y/a': '1', 'x/b': '2' }, async (root) => {
    await replaceEntry(root, 'x/y/a', markOf(file('1')), undefined);
    assert.deepEqual(await snapshot(root), { x: '/', 'x/b': '2' });
  }));

  test('nothing is overwritten that is not as expected', () => withFolder({ a: 'theirs' }, async (root) => {
    for (const [path, from, to] of [['a', 'absent', file('x')], ['a', markOf(file('mine')), file('x')], ['a', markOf(file('mine')), undefined], ['b', markOf(file('x')), undefined]] as const) {
      assert.equal(await codeOf(replaceEntry(root, path, from, to)), 'edit.changedOnDisk');
    }
    assert.deepEqual(await snapshot(root), { a: 'theirs' });
  }));

  test('a file that changes while the new text is written is not overwritten', () => withFolder({ a: 'old' }, async (root) => {
    const slow: Entry = { kind: 'file', executable: false, get content() { writeFileSync(join(root, 'a'), 'mine'); return Buffer.from('new'); } };
    assert.equal(await codeOf(replaceEntry(root, 'a', markOf(file('old')), slow)), 'edit.changedOnDisk');
    assert.deepEqual(await snapshot(root), { a: 'mine' });
  }));

  test('attack 7: no link on the way is followed, and no path leads out', () => withFolder({ a: 'x' }, async (root, outside) => {
    if (process.platform === 'win32') return;
    await mkdir(join(outside, 'evil'));
    await writeFile(join(outside, 'evil/f'), 'canary');
    await symlink('../evil', join(root, 'd'));
    assert.equal(await readEntry(root, 'd/f'), undefined);
    assert.equal(await codeOf(replaceEntry(root, 'd/f', 'absent', file('pwned'))), 'edit.notApplied');
    for (const path of ['../evil/f', '/etc/x', 'd/../a', '', './a']) assert.equal(await codeOf(replaceEntry(root, path, 'absent', file('pwned'))), 'path.outsideWorkspace', path);
    assert.equal(await readFile(join(outside, 'evil/f'), 'utf8'), 'canary');
  }));
});

suite('batches of files', () => {
  const batches = (root: string, outside: string): FileBatches => new FileBatches(root, join(outside, 'journal'));

  test('all files change, and the journal is gone', () => withFolder({ a: '1', gone: 'x' }, async (root, outside) => {
    await batches(root, outside).apply([change('a', '1', '2'), change('new/b', undefined, '3'), change('gone', 'x', undefined)]);
    assert.deepEqual(await snapshot(root), { a: '2', new: '/', 'new/b': '3' });
    assert.deepEqual(await readdir(join(outside, 'journal')), []);
  }));

  test('a file that is not as it was seen: nothing changes', () => withFolder({ a: '1', b: 'theirs' }, async (root, outside) => {
    const { ino } = await stat(join(root, 'a'));
    assert.equal(await codeOf(batches(root, outside).apply([change('a', '1', '2'), change('b', 'mine', '3')])), 'edit.changedOnDisk');
    assert.deepEqual(await snapshot(root), { a: '1', b: 'theirs' });
    assert.equal((await stat(join(root, 'a'))).ino, ino, 'it was not even begun');
  }));

  test('what cannot be written takes back what was', () => withFolder({ a: '1' }, async (root, outside) => {
    await mkdir(join(root, 'b'));
    await writeFile(join(root, 'b/x'), '');
    assert.notEqual(await codeOf(batches(root, outside).apply([change('a', '1', '2'), change('b', undefined, 'a file where a folder is')])), 'ok');
    assert.deepEqual(await snapshot(root), { a: '1', b: '/', 'b/x': '' });
    assert.deepEqual(await readdir(join(outside, 'journal')), []);
  }));

  test('a folder gives way to a file of its name, and back', () => withFolder({ 'a/b': '1', 'a/c': '2' }, async (root, outside) => {
    await batches(root, outside).apply([change('a', undefined, 'file'), change('a/b', '1', undefined), change('a/c', '2', undefined)]);
    assert.deepEqual(await snapshot(root), { a: 'file' });
    await batches(root, outside).apply([change('a', 'file', undefined), change('a/b', undefined, '1'), change('a/c', undefined, '2')]);
    assert.deepEqual(await snapshot(root), { a: '/', 'a/b': '1', 'a/c': '2' });
  }));

  test('a batch that was cut off: finished; where the user changed a file since, taken back and theirs left alone', () => withFolder({ a: '1', b: '1' }, async (root, outside) => {
    const cutOff = async (): Promise<void> => {
      const dying = batches(root, outside);
      // As after a kill: the journal is there, the first file is written.
      const begin = (dying as unknown as { begin(changes: readonly FileChange[]): Promise<string> }).begin.bind(dying);
      await begin([change('a', '1', '2'), change('b', '1', '2')]);
      await writeFile(join(root, 'a'), '2');
    };
    await cutOff();
    assert.deepEqual(await batches(root, outside).recover(), [{ outcome: 'finished', files: 2, left: [] }]);
    assert.deepEqual(await snapshot(root), { a: '2', b: '2' });
    await writeFile(join(root, 'a'), '1');
    await writeFile(join(root, 'b'), '1');
    await cutOff();
    await writeFile(join(root, 'b'), 'mine');
    assert.deepEqual(await batches(root, outside).recover(), [{ outcome: 'takenBack', files: 1, left: ['b'] }]);
    assert.deepEqual(await snapshot(root), { a: '1', b: 'mine' });
    assert.deepEqual(await batches(root, outside).recover(), []);
  }));

  test('a damaged journal is set aside, and touches nothing', () => withFolder({ a: '1' }, async (root, outside) => {
    await mkdir(join(outside, 'journal/x.batch'), { recursive: true });
    await writeFile(join(outside, 'journal/x.batch/journal.json'), '{"version": 1');
    assert.deepEqual(await batches(root, outside).recover(), [{ outcome: 'damaged', files: 0, left: [] }]);
    assert.deepEqual([await snapshot(root), await readdir(join(outside, 'journal'))], [{ a: '1' }, ['x.damaged']]);
    await rm(join(outside, 'journal'), { recursive: true });
    assert.deepEqual(await batches(root, outside).recover(), []);
  }));
});
