import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { appendFile, mkdtemp, readdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TraceStore } from '../../../src/trace/store.js';
import { events, fold } from './turns.js';

suite('trace store', () => {
  let folder: string;
  setup(async () => {
    folder = await mkdtemp(join(tmpdir(), 'loupe-trace-'));
  });
  teardown(() => rm(folder, { recursive: true, force: true }));

  const open = (keepTurns = 200, alive = true, pid = process.pid): TraceStore => new TraceStore({ folder, keepTurns, pid, isAlive: () => alive });
  const nameOf = (turnId: string): string => `turn-001795000000123-${Buffer.from(turnId).toString('hex')}.json`;

  async function store(target: TraceStore, ...turnIds: string[]): Promise<void> {
    for (const turnId of turnIds) {
      for (const event of events(turnId)) assert.deepEqual(await target.record(turnId, event), { ok: true, value: null });
    }
  }
  async function ids(target: TraceStore): Promise<string[]> {
    const listed = await target.list();
    assert.ok(listed.ok);
    return listed.value.map(({ turnId }) => turnId);
  }

  test('a finished turn is one file, and read back equal by another process', async () => {
    await store(open(), 't1', 't2');
    const other = open();
    assert.deepEqual(await ids(other), ['t1', 't2']);
    assert.deepEqual(await other.read('t2'), { ok: true, value: fold(events('t2')) });
    assert.deepEqual(await other.all(), { ok: true, value: [fold(events('t1')), fold(events('t2'))] });
    assert.deepEqual(await other.read('nope'), { ok: true, value: undefined });
    assert.deepEqual((await readdir(folder)).sort(), [nameOf('t1'), nameOf('t2')], 'no journal is left');
    if (process.platform !== 'win32') assert.equal((await stat(join(folder, nameOf('t1')))).mode & 0o077, 0, 'nobody else may read it');
  });

  test('what another window stores and prunes is seen', async () => {
    const [a, b] = [open(2), open(2)];
    await store(a, 't1');
    assert.deepEqual(await ids(b), ['t1']);
    await store(b, 't2', 't3');
    assert.deepEqual(await ids(a), ['t2', 't3']);
    assert.deepEqual(await a.read('t1'), { ok: true, value: undefined });
  });

  test('a running turn can be read; two run side by side', async () => {
    const target = open();
    const [a, b] = [events('a'), events('b')];
    for (let i = 0; i < 6; i++) {
      for (const [id, all] of [['a', a], ['b', b]] as const) {
        const event = all[i];
        assert.ok(event);
        await target.record(id, event);
      }
    }
    const read = await target.read('b');
    assert.deepEqual(read.ok && [read.value?.turnId, read.value?.running, read.value?.hops.length], ['b', true, 2]);
    await target.close();
  });

  test('a file that is no turn is skipped, and the others stay', async () => {
    await store(open(), 't1', 't2', 't3');
    const whole = await readFile(join(folder, nameOf('t2')));
    for (const size of [0, 1, 500, whole.length - 1]) {
      await truncate(join(folder, nameOf('t2')), size);
      assert.deepEqual(await ids(open()), ['t1', 't3'], `cut at ${size}`);
      assert.deepEqual(await open().read('t2'), { ok: true, value: undefined });
      await writeFile(join(folder, nameOf('t2')), whole);
    }
    for (const garbage of ['garbage', '\u0000\u0000', '{}', '[1, 2']) {
      await writeFile(join(folder, nameOf('t2')), garbage);
      assert.deepEqual((await open().all()).ok && await ids(open()), ['t1', 't3'], garbage);
    }
  });

  test('a file half written by a process that died is removed, that of a living one is not', async () => {
    const half = `${nameOf('t1')}.12345.tmp`;
    await writeFile(join(folder, half), '{"resourceSp');
    assert.deepEqual(await ids(open()), []);
    await open().recover();
    assert.deepEqual(await readdir(folder), [half]);
    await open(9, false).recover();
    assert.deepEqual(await readdir(folder), []);
  });

  test('keeps as many turns as told, the newest', async () => {
    const target = open(3);
    await store(target, 't1', 't2', 't3', 't4', 't5');
    assert.deepEqual(await ids(target), ['t3', 't4', 't5']);
    assert.deepEqual(await ids(open()), ['t3', 't4', 't5']);
    assert.deepEqual((await target.read('t4')), { ok: true, value: fold(events('t4')) });
    assert.equal((await readdir(folder)).length, 3);
  });

  test('a turn whose process is killed is stored by the next one, marked', async function () {
    this.timeout(20_000);
    const child = spawn(process.execPath, [fileURLToPath(new URL('./killedTurn.js', import.meta.url)), folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise<void>((resolve) => child.stdout.on('data', (chunk: Buffer) => chunk.includes('written') && resolve()));
    const exited = new Promise((resolve) => child.on('exit', resolve));
    const isAlive = (pid: number): boolean => pid === child.pid && child.exitCode === null && child.signalCode === null;
    const target = new TraceStore({ folder, keepTurns: 9, pid: process.pid, isAlive });
    assert.deepEqual(await target.recover(), { ok: true, value: 0 }, 'a living process keeps its journal');
    child.kill('SIGKILL');
    await exited;
    const journal = (await readdir(folder)).find((name) => name.startsWith('running-'));
    assert.ok(journal);
    await appendFile(join(folder, journal), '{"type":"modelFin');
    assert.deepEqual(await target.recover(), { ok: true, value: 1 });
    const read = await target.read('killed');
    assert.ok(read.ok && read.value);
    assert.deepEqual([read.value.running, read.value.partial, read.value.hops.length, read.value.gate?.gate], [false, true, 2, 'error']);
    assert.match(read.value.gate?.reason ?? '', /The process ended in step 2/);
    assert.deepEqual(await target.recover(), { ok: true, value: 0 });
    assert.deepEqual(await readdir(folder), [nameOf('killed')]);
  });

  test('a turn stored just before the process died is not stored twice', async () => {
    const dead = open(9, true, 12345);
    await store(dead, 't1');
    await writeFile(join(folder, 'running-12345-ab.jsonl'), events('t1').map((event) => JSON.stringify(event)).join('\n'));
    const target = open(9, false);
    assert.deepEqual(await target.recover(), { ok: true, value: 1 });
    assert.deepEqual(await ids(target), ['t1']);
  });
});

suite('trace store: a full disk', () => {
  // A real full disk: /dev/full fails every write with ENOSPC. Linux only.
  test('one error for the turn, what was stored before is intact', async function () {
    if (process.platform !== 'linux') this.skip();
    const folder = await mkdtemp(join(tmpdir(), 'loupe-trace-'));
    try {
      const options = { keepTurns: 9, pid: process.pid, isAlive: () => true };
      const good = new TraceStore({ folder, ...options });
      for (const event of events('t1')) await good.record('t1', event);
      const [stored = ''] = await readdir(folder);
      const before = await readFile(join(folder, stored));
      const name = `running-${process.pid}-${Buffer.from('t2').toString('hex')}.jsonl`;
      await symlink('/dev/full', join(folder, name));
      const results = [];
      for (const event of events('t2')) results.push(await good.record('t2', event));
      const failed = results.filter((result) => !result.ok);
      assert.equal(failed.length, 1, 'one notice');
      assert.match(JSON.stringify(failed[0]), /trace\.writeFailed.*The disk is full/);
      assert.deepEqual(await readFile(join(folder, stored)), before);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
