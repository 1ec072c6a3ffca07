import assert from 'node:assert/strict';
import { ok, type Result } from '../../../src/base/result.js';
import { FileChecks } from '../../../src/extension/models/fileChecks.js';

interface Started { readonly signal: AbortSignal; readonly progress: (done: number, total: number) => void; readonly end: () => void }

suite('checks of model files', () => {
  const started: Started[] = [];
  setup(() => { started.length = 0; });
  const checks = new FileChecks((_file, _sha256, signal, progress) => new Promise<Result<null>>((resolve) => {
    started.push({ signal, progress, end: () => resolve(ok(null)) });
  }));
  const never = new AbortController().signal;

  test('two that want the same file read it once, and both are told each percent once', async () => {
    const [first, second]: number[][] = [[], []];
    const both = [checks.check('/m', 'h', (f) => first?.push(f), never), checks.check('/m', 'h', (f) => second?.push(f), never)];
    assert.equal(started.length, 1);
    for (const done of [1, 2, 250, 251, 500]) started[0]?.progress(done, 1000);
    assert.deepEqual([first, second], [[0.001, 0.25, 0.5], [0.001, 0.25, 0.5]]);
    started[0]?.end();
    assert.deepEqual((await Promise.all(both)).map((r) => r.ok), [true, true]);
  });

  test('one that leaves stops nothing for the other; the last one that leaves does', async () => {
    const [one, two] = [new AbortController(), new AbortController()];
    const first = checks.check('/m', 'h', () => undefined, one.signal);
    const second = checks.check('/m', 'h', () => undefined, two.signal);
    one.abort();
    const left = await first;
    assert.equal(left.ok ? '' : left.error.code, 'cancelled');
    assert.equal(started[0]?.signal.aborted, false);
    two.abort();
    await second;
    assert.equal(started[0]?.signal.aborted, true);
  });

  test('after the end a file is looked at anew', async () => {
    const first = checks.check('/m', 'h', () => undefined, never);
    started[0]?.end();
    await first;
    void checks.check('/m', 'h', () => undefined, never);
    assert.equal(started.length, 2);
    started[1]?.end();
  });
});
