import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, rename, rm, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LoupeFailure } from '../../../../src/base/errors.js';
import type { Entry, NewSnapshot, SnapshotStore } from '../../../../src/sidecar/snapshots/store.js';
import { Folder, quiet, signal, snapshot, tokensOf, writes } from './support.js';
import { chainHashes } from '../../../../src/sidecar/snapshots/tokenChain.js';
import { loadMacKey } from '../../../../src/sidecar/snapshots/macKey.js';

suite('Snapshot store', () => {
  let folder: Folder;
  let store: SnapshotStore;
  setup(async () => {
    folder = await Folder.make();
    store = folder.store();
  });
  teardown(() => folder.end());

  const save = async (more: Partial<NewSnapshot> = {}, content: Buffer | number = 5000, into = store): Promise<Entry> => {
    const saved = await into.save(snapshot(more), 5000, writes(content), signal, quiet);
    assert.ok(saved.ok, JSON.stringify(saved));
    return saved.value;
  };
  const codeOf = (result: { readonly ok: true } | { readonly ok: false; readonly error: { readonly code: string } }): string => (result.ok ? 'ok' : result.error.code);
  const names = (): Promise<string[]> => readdir(folder.dir());

  test('keeps to its user: folder 0700, files and key 0600', async () => {
    const { path } = await save();
    for (const [file, mode] of [[folder.dir(), 0o700], [path, 0o600], [join(folder.root, 'memory.key'), 0o600]] as const) assert.equal((await stat(file)).mode & 0o777, mode, file);
    assert.equal((await names()).length, 1);
  });

  test('another process sees, verifies and removes what was saved', async () => {
    const entry = await save();
    const second = folder.store();
    const [seen] = await second.list();
    assert.deepEqual(seen?.descriptor, entry.descriptor);
    assert.ok(seen && (await second.verify(seen, signal, quiet)).ok && await second.isAsVerified(seen));
    assert.deepEqual(await second.forget('repo'), { snapshots: 1, bytes: entry.bytes });
    assert.deepEqual(await store.list(), []);
  });

  test('the same state saved by two at once is one file, whole', async () => {
    const stores = [store, folder.store(), folder.store(), folder.store()];
    await Promise.all(stores.map((each, i) => save({}, Buffer.alloc(3_000_000, i), each)));
    assert.equal((await names()).length, 1);
    const [entry] = await folder.store().list();
    assert.ok(entry && (await folder.store().verify(entry, signal, quiet)).ok);
  });

  test('what changes after it was verified is noticed, and verified again', async () => {
    const entry = await save();
    assert.ok(await store.isAsVerified(entry));
    const bytes = await readFile(entry.path);
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    await writeFile(entry.path, bytes);
    assert.equal(await store.isAsVerified(entry), false);
    assert.equal(codeOf(await store.verify(entry, signal, quiet)), 'snapshot.damaged');
    assert.deepEqual(await names(), []);
  });

  test('truncated, emptied, foreign and old files are removed; links, pipes and folders are left and not followed', async () => {
    const { path } = await save();
    const name = (digit: string): string => join(folder.dir(), `${digit.repeat(40)}.kv`);
    await writeFile(name('1'), '');
    await writeFile(name('2'), 'not a snapshot, but long enough to have an end that could be one, if only it were');
    await writeFile(name('3'), (await readFile(path)).subarray(0, -1));
    const outside = join(folder.root, 'outside');
    await writeFile(outside, await readFile(path));
    await symlink(outside, name('4'));
    await mkdir(name('5'));
    assert.equal(spawnSync('mkfifo', [name('6')]).status, 0);
    await writeFile(join(folder.dir(), 'notes.txt'), 'mine');
    const entries = await folder.store().list();
    assert.deepEqual(entries.map((entry) => entry.path), [path]);
    assert.deepEqual((await names()).sort(), [path, name('4'), name('5'), name('6'), 'notes.txt'].map((file) => file.split('/').at(-1)).sort());
    assert.equal((await stat(outside)).size > 0, true);
  });

  test('the least recently used goes first when the budget is spent, the one just saved never', async () => {
    const small = folder.store({ budgetBytes: 14_000 });
    for (const [i, memory] of ['a', 'b'].entries()) {
      const { path } = await save({ memory }, 5000, small);
      await utimes(path, 1000 + i, 1000 + i);
    }
    const [b, a] = await small.list();
    assert.deepEqual([a?.descriptor.memory, b?.descriptor.memory], ['a', 'b']);
    assert.ok(a);
    await small.touch(a);
    await save({ memory: 'c' }, 5000, small);
    assert.deepEqual((await small.list()).map(({ descriptor }) => descriptor.memory).sort(), ['a', 'c']);
    await small.setBudget(7000);
    assert.equal((await small.list()).length, 1);
    assert.equal(codeOf(await small.save(snapshot(), 8000, writes(8000), signal, quiet)), 'snapshot.overBudget');
  });

  test('a state larger than expected pushes out others, not itself, even where clocks went back', async () => {
    const small = folder.store({ budgetBytes: 14_000 });
    for (const memory of ['a', 'b']) await utimes((await save({ memory }, 5000, small)).path, 4_000_000_000, 4_000_000_000);
    assert.ok((await small.save(snapshot({ memory: 'c' }), 1000, writes(5000), signal, quiet)).ok);
    const left = (await small.list()).map(({ descriptor }) => descriptor.memory);
    assert.ok(left.includes('c') && left.length === 2, left.join());
  });

  test('a full disk is one error, and what was there stays', async () => {
    const { path } = await save();
    const before = await readFile(path);
    const full = async (file: string): Promise<number> => {
      await writeFile(file, Buffer.alloc(100));
      throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    };
    assert.equal(codeOf(await store.save(snapshot(), 5000, full, signal, quiet)), 'snapshot.diskFull');
    // The engine does not look whether its last write arrived.
    const short = async (file: string): Promise<number> => {
      await writeFile(file, Buffer.alloc(100));
      return 5000;
    };
    assert.equal(codeOf(await store.save(snapshot(), 5000, short, signal, quiet)), 'snapshot.diskFull');
    assert.equal(codeOf(await folder.store({ freeBytes: () => Promise.resolve(1e8) }).save(snapshot(), 5000, writes(5000), signal, quiet)), 'snapshot.diskFull');
    assert.deepEqual(await readFile(path), before);
    assert.equal((await names()).length, 1);
  });

  test('cancelled while it writes, nothing is left', async () => {
    const controller = new AbortController();
    await assert.rejects(store.save(snapshot(), 5000, async (path) => {
      controller.abort();
      return writes(5000)(path);
    }, controller.signal, quiet), { name: 'AbortError' });
    assert.deepEqual(await names(), []);
  });

  test('what a crash left is swept; what a living process is writing is not', async () => {
    await save();
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    const temporary = (pid: number): string => join(folder.dir(), `.${'0'.repeat(40)}.${pid}.00000000-0000-0000-0000-000000000000.tmp`);
    await writeFile(temporary(dead), 'x');
    await writeFile(temporary(process.pid), 'x');
    assert.equal((await folder.store().list()).length, 1);
    assert.deepEqual((await names()).filter((name) => name.endsWith('.tmp')), [temporary(process.pid).split('/').at(-1)]);
    await utimes(temporary(process.pid), 1, 1);
    await folder.store().list();
    assert.equal((await names()).length, 1);
  });

  test('states of one memory that a newer one replaces go; other memories stay', async () => {
    const newer = tokensOf(40);
    await save();
    await save({ memory: 'other' });
    const latest = await save({ tokens: 40, borders: [{ tokens: 40, hash: chainHashes(newer, [40])[0] ?? '' }] });
    await store.forget('repo', ({ path }) => path === latest.path);
    assert.deepEqual((await store.list()).map(({ descriptor }) => [descriptor.memory, descriptor.tokens].join(' ')).sort(), ['other 30', 'repo 40']);
  });

  test('a folder that is a link is not used', async () => {
    const elsewhere = join(folder.root, 'elsewhere');
    await mkdir(elsewhere);
    await symlink(elsewhere, folder.dir());
    await assert.rejects(store.list(), (thrown) => thrown instanceof LoupeFailure && thrown.error.code === 'snapshot.failed');
    await rm(folder.dir());
    assert.deepEqual(await store.list(), []);
  });
});

suite('The key of the snapshots', () => {
  let folder: Folder;
  setup(async () => { folder = await Folder.make(); });
  teardown(() => folder.end());
  const path = (): string => join(folder.root, 'key');

  test('is made once, also by ten at the same time', async () => {
    const keys = await Promise.all(Array.from({ length: 10 }, () => loadMacKey(path())));
    assert.equal(new Set(keys.map((key) => key.toString('hex'))).size, 1);
    assert.equal(keys[0]?.length, 32);
    assert.deepEqual(await readdir(folder.root), ['key']);
  });

  test('that others could read, or that is none, is replaced', async () => {
    const first = await loadMacKey(path());
    await chmod(path(), 0o644);
    const second = await loadMacKey(path());
    assert.notDeepEqual(first, second);
    await truncate(path(), 5);
    const third = await loadMacKey(path());
    assert.equal(third.length, 32);
    await rename(path(), join(folder.root, 'stolen'));
    await symlink(join(folder.root, 'stolen'), path());
    assert.notDeepEqual(await loadMacKey(path()), third);
    await rm(path());
    await mkdir(path());
    assert.equal((await loadMacKey(path())).length, 32);
  });
});
