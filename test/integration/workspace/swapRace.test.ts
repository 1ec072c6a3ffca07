import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { hashText, NodeEdits } from '../../../src/agent/workspace/nodeEdits.js';
import { openInside } from '../../../src/context/files/paths.js';
import type { FileEdit } from '../../../src/protocol/agentEvents.js';

const canary = 'canary';
const raceMs = 2_000;

/** Attack 7, with a thread that swaps folders and files for links while the product reads and writes. */
suite('links swapped in a race', () => {
  let base: string;
  let root: string;
  let evil: string;
  setup(async function () {
    if (process.platform !== 'linux') this.skip(); // only there can folders be held open: see docs/decisions
    base = await realpath(await mkdtemp(join(tmpdir(), 'loupe-race-')));
    [root, evil] = [join(base, 'app'), join(base, 'evil')];
    for (const folder of ['app/d/deep', 'app/e', 'evil/deep']) await mkdir(join(base, folder), { recursive: true });
    for (const file of ['d/f', 'd/deep/f', 'e/f']) await writeFile(join(root, file), 'inside');
    for (const file of ['f', 'deep/f']) await writeFile(join(evil, file), canary);
  });
  teardown(() => rm(base ?? '', { recursive: true, force: true }));

  /** Runs `act` over and over beside the swapper. Gives how often it worked and how often it failed. */
  async function race(act: (round: number) => Promise<void>): Promise<{ readonly worked: number; readonly failed: number; readonly swaps: number }> {
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(new URL('./swapper.js', import.meta.url), { workerData: { root, evil, stop } });
    const swapped = new Promise<number>((resolve, reject) => worker.once('message', resolve).once('error', reject));
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    let worked = 0;
    let failed = 0;
    try {
      const end = performance.now() + raceMs;
      while (performance.now() < end) {
        try {
          await act(worked + failed);
          worked++;
        } catch (thrown) {
          if (thrown instanceof assert.AssertionError) throw thrown;
          failed++;
        }
      }
    } finally {
      Atomics.store(stop, 0, 1);
      await ended;
    }
    return { worked, failed, swaps: await swapped };
  }

  function checkRaced({ worked, failed, swaps }: Awaited<ReturnType<typeof race>>): void {
    assert.ok(swaps > 100, `${swaps} swaps`);
    assert.ok(worked > 5 && failed > 5, `${worked} worked, ${failed} failed: both sides of the race were met`);
  }

  test('reading: never a byte from outside', async () => {
    const paths = ['d/f', 'd/deep/f', 'e/f'];
    checkRaced(await race(async (round) => {
      const { handle } = await openInside(root, paths[round % paths.length] ?? '');
      try {
        assert.notEqual(await handle.readFile('utf8'), canary);
      } finally {
        await handle.close();
      }
    }));
  });

  test('writing: no file outside is changed, made or even begun', async () => {
    const state = async (): Promise<unknown> => Promise.all(['', 'deep', 'f', 'deep/f'].map(async (name) => {
      const { mtimeNs, ino } = await stat(join(evil, name), { bigint: true });
      return [name, mtimeNs, ino]; // a folder's time changes with every name that comes or goes in it
    }));
    const before = await state();
    const edits = new NodeEdits(root);
    const edit = (path: string, kind: FileEdit['kind'], before: string): FileEdit => ({ path, kind, before, after: 'inside', beforeHash: hashText(before) });
    checkRaced(await race(async (round) => {
      const change = round % 5;
      const path = ['d/f', 'd/deep/f', 'e/f', `d/new-${round}`, `d/deep/sub-${round}/new`][change] ?? '';
      await edits.apply(edit(path, change < 3 ? 'replace' : 'create', change < 3 ? 'inside' : ''), new AbortController().signal);
    }));
    assert.deepEqual(await state(), before);
    assert.deepEqual((await readdir(evil, { recursive: true })).sort(), ['deep', 'deep/f', 'f']);
    assert.equal(await readFile(join(evil, 'f'), 'utf8'), canary);
    const left = (await readdir(root, { recursive: true })).filter((name) => name.endsWith('.loupe-tmp'));
    assert.deepEqual(left, [], 'no temporary file is left');
  });
});
