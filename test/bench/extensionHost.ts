import { fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/**
 * What Loupe costs the extension host: the time to load its bundle and activate, and the longest time that it then holds the
 * event loop while the rest is imported and constructed. The built bundle runs in plain Node on a stand-in for the editor's
 * API that does nothing, so that only our own code is measured. Each sample is a fresh process; the best of several counts,
 * since a busy machine only ever adds time.
 */
const samples = 7;
const bundle = resolve('dist/extension/main.cjs');

interface Sample { readonly activationMs: number; readonly longestBlockMs: number }

function standIn(): unknown {
  const anything: unknown = new Proxy(function nothing() { /* callable and constructible */ }, {
    get: (_target, key) => (key === 'then' || key === 'isTrusted' ? undefined : key === Symbol.toPrimitive ? () => '' : anything),
    set: () => true,
    apply: () => anything,
    construct: () => anything as object,
  });
  // Bundlers and compilers copy a module's own names; one inherits from its prototype, the other takes an ES module as it is.
  return new Proxy({}, { getPrototypeOf: () => anything as object, get: (_target, key) => (key === '__esModule' ? true : anything) });
}

async function measure(): Promise<Sample> {
  const vscode = standIn();
  const loader = Module as unknown as { _load: (request: string, ...rest: unknown[]) => unknown };
  const load = loader._load;
  loader._load = (request, ...rest) => (request === 'vscode' ? vscode : load.call(loader, request, ...rest));
  const storage = mkdtempSync(join(tmpdir(), 'loupe-bench-'));
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  const uri = { fsPath: resolve('.'), path: resolve('.') };
  const context = {
    subscriptions: [], extensionUri: uri, storageUri: { fsPath: storage }, globalStorageUri: { fsPath: storage }, secrets: vscode,
    globalState: { get: (_key: string, fallback: unknown) => fallback, update: () => Promise.resolve() }, extension: { packageJSON: { version } },
  };
  const began = performance.now();
  const extension = createRequire(bundle)(bundle) as { activate(context: unknown): void; deactivate(): Promise<void> };
  extension.activate(context);
  const activationMs = performance.now() - began;
  const longestBlockMs = await longestTurnOfTheLoop(1_500);
  await extension.deactivate();
  rmSync(storage, { recursive: true, force: true });
  return { activationMs, longestBlockMs };
}

/** Longest time between two turns of the event loop, from now on; in milliseconds. */
async function longestTurnOfTheLoop(forMs: number): Promise<number> {
  const end = performance.now() + forMs;
  let longest = 0;
  for (let last = performance.now(); last < end;) {
    await setImmediate();
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }
  return longest;
}

function sampleInOwnProcess(): Promise<Sample> {
  return new Promise((resolvePromise, reject) => {
    const child = fork(fileURLToPath(import.meta.url), ['sample'], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    child.on('message', (sample) => resolvePromise(sample as Sample));
    child.on('exit', (code) => reject(new Error(`A sample ended with ${code} and without a result`)));
  });
}

if (process.argv[2] === 'sample') {
  process.send?.(await measure());
  process.exit(0);
} else {
  const all: Sample[] = [];
  for (let i = 0; i < samples; i += 1) all.push(await sampleInOwnProcess());
  const report = (name: string, value: number, limit: number): void => {
    console.log(JSON.stringify({ name, value: Number(value.toFixed(1)), unit: 'ms', limit, pass: value < limit }));
  };
  report('activation', Math.min(...all.map((s) => s.activationMs)), 50);
  report('longest block of the event loop while starting', Math.min(...all.map((s) => s.longestBlockMs)), 16);
}
