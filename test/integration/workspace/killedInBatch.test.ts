import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FileBatches } from '../../../src/agent/workspace/fileBatch.js';
import { withFolder } from '../../unit/agent/support/folder.js';
import { snapshot } from '../../unit/security/support.js';

const writer = fileURLToPath(new URL('./batchWriter.js', import.meta.url));
const old = { a: 'old a', b: 'old b', gone: 'gone' };
const fresh = { a: 'new a', b: 'new b', new: '/', 'new/c': 'new c' };

async function killedBefore(step: number, root: string, journal: string): Promise<string> {
  const child = spawn(process.execPath, [writer, root, journal, String(step)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => { output += chunk; });
  await new Promise((resolve) => child.once('close', resolve));
  return output;
}

/** Fault 17 for several files: a process that is killed before each single change of the disk, in turn. */
test('fault 17: a batch that is killed at any write is, after the next start, done as a whole or not at all', async function () {
  this.timeout(240_000);
  if (process.platform === 'win32') this.skip(); // a process cannot kill itself in this way there
  const outcomes = new Set<string>();
  let halves = 0;
  let steps = 0;
  for (let done = false; !done; steps++) {
    await withFolder(old, async (root, outside) => {
      const journal = join(outside, 'journal');
      await mkdir(journal);
      done = (await killedBefore(steps + 1, root, journal)) === 'done';
      const cut = await snapshot(root);
      const isOld = (state: Readonly<Record<string, string>>): boolean => JSON.stringify(state) === JSON.stringify(old);
      const isNew = (state: Readonly<Record<string, string>>): boolean => JSON.stringify(state) === JSON.stringify(fresh);
      if (!isOld(cut) && !isNew(cut)) halves++;
      await new FileBatches(root, journal).recover();
      const after = await snapshot(root);
      assert.ok(isOld(after) || isNew(after), `killed before step ${steps + 1}: ${JSON.stringify(after)}`);
      outcomes.add(isNew(after) ? 'new' : 'old');
      assert.deepEqual(await readdir(journal), [], 'nothing is left to be done');
    });
  }
  assert.deepEqual([...outcomes].sort(), ['new', 'old']);
  assert.ok(steps > 20 && halves > 3, `${steps} steps, ${halves} of them in the middle`);
});
