import { createRequire, syncBuiltinESMExports } from 'node:module';
import type * as FileSystem from 'node:fs/promises';

/**
 * Applies one batch, ROOT JOURNAL STEP: `a` and `b` change, `gone` goes, `new/c` comes. Kills itself right before its STEPth change of the
 * disk, as a power cut would. Says `done` when there are fewer.
 */
const [, , root, journal, step] = process.argv;
if (root === undefined || journal === undefined || step === undefined) throw new Error('usage: ROOT JOURNAL STEP');
const fs = createRequire(import.meta.url)('node:fs/promises') as typeof FileSystem;
let left = Number(step);
const dying = <A extends unknown[], R>(act: (...args: A) => R) => function (this: unknown, ...args: A): R {
  if (--left === 0) process.kill(process.pid, 'SIGKILL');
  return act.apply(this, args);
};
for (const name of ['rename', 'link', 'unlink', 'rm', 'rmdir', 'mkdir', 'symlink'] as const) fs[name] = dying(fs[name] as (...args: unknown[]) => unknown) as never;
const handle = await fs.open(process.execPath, 'r');
const prototype = Object.getPrototypeOf(handle) as Record<'writeFile' | 'chmod', (...args: unknown[]) => unknown>;
await handle.close();
prototype.writeFile = dying(prototype.writeFile);
prototype.chmod = dying(prototype.chmod);
syncBuiltinESMExports();

const { FileBatches } = await import('../../../src/agent/workspace/fileBatch.js');
const file = (text: string): { readonly kind: 'file'; readonly executable: false; readonly content: Buffer } => ({ kind: 'file', executable: false, content: Buffer.from(text) });
await new FileBatches(root, journal).apply([
  { path: 'a', from: file('old a'), to: file('new a') }, { path: 'b', from: file('old b'), to: file('new b') },
  { path: 'gone', from: file('gone'), to: undefined }, { path: 'new/c', from: undefined, to: file('new c') },
]);
process.stdout.write('done');
