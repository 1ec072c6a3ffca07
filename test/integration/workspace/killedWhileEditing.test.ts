import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const editor = fileURLToPath(new URL('./editor.js', import.meta.url));

/** Fault 17 for single files, with a real process that is killed at any moment. */
suite('a window that is killed while it writes edits', () => {
  let root: string;
  setup(async () => { root = await mkdtemp(join(tmpdir(), 'loupe-edits-')); });
  teardown(() => rm(root, { recursive: true, force: true }));

  test('every file is wholly old or wholly new, and what was said to be written is written', async function () {
    this.timeout(60_000);
    const version = (n: number): string => `${n},`.repeat(100_000);
    let halves = 0;
    for (let round = 0; round < 20; round++) {
      await writeFile(join(root, 'a.txt'), version(0));
      const child = spawn(process.execPath, [editor, root], { stdio: ['ignore', 'pipe', 'inherit'] });
      let output = '';
      await new Promise<void>((resolve) => child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk;
        resolve();
      }));
      await sleep(Math.random() * 30);
      const closed = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGKILL');
      await closed;
      const said = Number(output.trim().split('\n').at(-1));
      const text = await readFile(join(root, 'a.txt'), 'utf8');
      assert.ok(text === version(said) || text === version(said + 1), `${text.slice(0, 20)} after ${said}`);
      const made = (await readdir(join(root, 'new'))).filter((name) => name.endsWith('.txt'));
      for (const name of made) assert.equal(await readFile(join(root, 'new', name), 'utf8'), version(Number.parseInt(name)));
      assert.ok(made.length === said || made.length === said + 1);
      halves += (await readdir(root, { recursive: true })).filter((name) => name.endsWith('.loupe-tmp')).length;
      await rm(join(root, 'new'), { recursive: true });
    }
    assert.ok(halves > 0, 'at least one kill hit a write');
  });
});
