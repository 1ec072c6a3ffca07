import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isAlive } from '../../../src/model/sidecar/stateFiles.js';
import { TraceStore } from '../../../src/trace/store.js';

const writer = fileURLToPath(new URL('./writer.js', import.meta.url));

interface Written { readonly failures: readonly (readonly string[])[]; readonly listed: readonly string[] }

/** Real processes on one folder. */
suite('trace store of several processes', () => {
  let folder: string;
  setup(async () => { folder = await mkdtemp(join(tmpdir(), 'loupe-trace-')); });
  teardown(() => rm(folder, { recursive: true, force: true }));

  function start(program: string, args: readonly string[]): { readonly kill: () => void; readonly done: Promise<string> } {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => { output += chunk; });
    return { kill: () => child.kill('SIGKILL'), done: new Promise((resolve) => child.once('close', () => resolve(output))) };
  }
  const window = (name: string, turns: number, keep: number): ReturnType<typeof start> => start(process.execPath, [writer, folder, name, String(turns), String(keep)]);
  const stored = async (): Promise<string[]> => {
    const listed = await new TraceStore({ folder, keepTurns: 1000, pid: process.pid, isAlive }).list();
    assert.ok(listed.ok);
    return listed.value.map(({ turnId }) => turnId);
  };
  const numbers = (ids: readonly string[], name: string): number[] => ids.filter((id) => id.startsWith(name)).map((id) => Number(id.split('-')[1]));

  test('append and prune at the same time: exactly the newest are kept, none of them lost', async () => {
    const keep = 20;
    const outputs = await Promise.all([window('a', 80, keep), window('b', 80, keep), window('c', 80, keep)].map(({ done }) => done));
    for (const output of outputs) assert.deepEqual((JSON.parse(output) as Written).failures.flat(), []);
    const ids = await stored();
    assert.equal(ids.length, keep);
    const last = await new TraceStore({ folder, keepTurns: keep, pid: process.pid, isAlive }).all();
    assert.ok(last.ok && last.value.length === keep, 'each can be read');
    // Each window's survivors are its newest ones, without a gap.
    for (const name of ['a', 'b', 'c']) {
      const own = numbers(ids, name);
      assert.deepEqual(own, own.map((_, i) => 80 - own.length + i), name);
    }
    assert.deepEqual((await readdir(folder)).filter((file) => !file.startsWith('turn-')), []);
  });

  test('without pruning every turn of every window is there', async () => {
    await Promise.all([window('a', 40, 1000), window('b', 40, 1000)].map(({ done }) => done));
    assert.equal((await stored()).length, 80);
  });

  test('killed at any time: what was stored before stays, and the running turn is stored, marked, by the next window', async () => {
    for (let i = 0; i < 6; i++) {
      const victim = window(`v${i}`, 500, 1000);
      const other = window(`w${i}`, 10, 1000);
      await sleep(150 + Math.random() * 150);
      const before = await stored();
      victim.kill();
      await Promise.all([victim.done, other.done]);
      const store = new TraceStore({ folder, keepTurns: 1000, pid: process.pid, isAlive });
      const recovered = await store.recover();
      assert.ok(recovered.ok && recovered.value <= 1);
      const after = await stored();
      assert.deepEqual(before.filter((id) => !after.includes(id)), []);
      assert.equal(numbers(after, `w${i}`).length, 10);
      const own = numbers(after, `v${i}`);
      assert.deepEqual(own, own.map((_, n) => n), 'no turn of the killed window is missing but the one that was not begun on disk');
      assert.deepEqual((await readdir(folder)).filter((file) => !/^turn-\d+-[0-9a-f]+\.json$/.test(file)), [], 'no half file, no journal');
    }
  });

  /** A file system of its own with 64 KiB, in namespaces that need no rights. Fault 15. */
  test('a disk that is really full: one notice per turn, no loop, what was stored before can be read', async function () {
    const mounting = ['-rm', 'sh', '-c', 'mount -t tmpfs -o size=64k none "$0" && exec "$@"', folder];
    if (process.platform !== 'linux' || spawnSync('unshare', [...mounting, 'true']).status !== 0) this.skip();
    const { done } = start('unshare', [...mounting, process.execPath, writer, folder, 'full', '30', '1000']);
    const { failures, listed } = JSON.parse(await done) as Written;
    assert.ok(failures.every((failed) => failed.length <= 1), 'at most one notice per turn');
    const failed = failures.findIndex((one) => one.length > 0);
    assert.ok(failed > 2, `the first failure is in turn ${failed}`);
    assert.match(failures[failed]?.[0] ?? '', /^The disk is full/);
    assert.equal(listed.length, failures.filter((one) => one.length === 0).length);
    assert.deepEqual(listed.slice(0, failed), failures.slice(0, failed).map((_, i) => `full-${String(i).padStart(4, '0')}`));
  });
});
