import { strict as assert } from 'node:assert';
import { mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../src/base/clock.js';
import { type Lock, type LockOptions, tryLock } from '../../../src/model/sidecar/lock.js';
import { ensureStateDir, readAddress, removeAddress, sidecarFiles, writeAddress } from '../../../src/model/sidecar/stateFiles.js';

suite('Lock file', () => {
  let folder = '';
  let path = '';
  setup(async () => {
    folder = await mkdtemp(join(tmpdir(), 'loupe-lock-'));
    path = join(folder, 'x.lock');
  });
  teardown(() => rm(folder, { recursive: true }));

  const options = (pid: number, alive: number[]): LockOptions =>
    ({ pid, isAlive: (other) => alive.includes(other), clock: systemClock, maxAgeMs: 30_000 });

  test('one of many gets it, and leaves nothing else behind', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, (_, i) => tryLock(path, options(100 + i, Array.from({ length: 20 }, (_, j) => 100 + j)))));
    assert.equal(all.filter((lock) => lock !== undefined).length, 1);
    assert.deepEqual(await readdir(folder), ['x.lock']);
    await all.find((lock): lock is Lock => lock !== undefined)?.release();
    assert.deepEqual(await readdir(folder), []);
  });

  test('a dead holder loses it, a live one does not', async () => {
    await writeFile(path, '4242');
    assert.equal(await tryLock(path, options(7, [4242])), undefined);
    assert.ok(await tryLock(path, options(7, [])));
  });

  test('of several that reclaim it, one gets it', async () => {
    const pids = Array.from({ length: 20 }, (_, i) => 100 + i);
    for (let round = 0; round < 10; round++) {
      await writeFile(path, '4242');
      const all = await Promise.all(pids.map((pid) => tryLock(path, options(pid, pids))));
      assert.equal(all.filter((lock) => lock !== undefined).length, 1, `round ${round}`);
      await rm(path);
    }
  });

  test('a holder that is too old loses it: its process id may be another process by now', async () => {
    await writeFile(path, '4242');
    const old = Date.now() / 1000 - 60;
    await utimes(path, old, old);
    assert.ok(await tryLock(path, options(7, [4242])));
  });

  test('a lock with nonsense in it is stale', async () => {
    await writeFile(path, 'nonsense');
    assert.ok(await tryLock(path, options(7, [])));
  });

  test('release leaves a lock that somebody else took over', async () => {
    const lock = await tryLock(path, options(7, []));
    await writeFile(path, '8');
    await lock?.release();
    assert.deepEqual(await readdir(folder), ['x.lock']);
  });
});

suite('Address file', () => {
  let folder = '';
  setup(async () => { folder = await mkdtemp(join(tmpdir(), 'loupe-state-')); });
  teardown(() => rm(folder, { recursive: true }));
  const address = { socket: '/s', token: 'a'.repeat(64), pid: 12, build: 'b' };

  test('comes back as written', async () => {
    const { address: path } = sidecarFiles(folder, 'b');
    await writeAddress(path, address);
    assert.deepEqual(await readAddress(path), address);
  });

  test('differs between builds', () => assert.notEqual(sidecarFiles(folder, 'a').address, sidecarFiles(folder, 'b').address));

  test('is not believed when others may write it, when it is a link, or when it is nonsense', async function () {
    if (process.platform === 'win32') this.skip();
    const open = join(folder, 'open.json');
    await writeFile(open, JSON.stringify(address), { mode: 0o644 });
    assert.equal(await readAddress(open), undefined);
    const real = join(folder, 'real.json');
    await writeAddress(real, address);
    const linked = join(folder, 'linked.json');
    await symlink(real, linked);
    assert.equal(await readAddress(linked), undefined);
    const nonsense = join(folder, 'nonsense.json');
    await writeFile(nonsense, '{"socket":', { mode: 0o600 });
    assert.equal(await readAddress(nonsense), undefined);
    assert.equal(await readAddress(join(folder, 'absent.json')), undefined);
  });

  test('is removed by the process that wrote it only', async () => {
    const { address: path } = sidecarFiles(folder, 'b');
    await writeAddress(path, address);
    removeAddress(path, 13);
    assert.ok(await readAddress(path));
    removeAddress(path, 12);
    assert.equal(await readAddress(path), undefined);
    removeAddress(path, 12);
  });

  test('the folder is for this user only, and no link', async function () {
    if (process.platform === 'win32') this.skip();
    const target = join(folder, 'target');
    await ensureStateDir(target);
    await symlink(target, join(folder, 'link'));
    await assert.rejects(ensureStateDir(join(folder, 'link')), /belongs to somebody else/);
  });
});
