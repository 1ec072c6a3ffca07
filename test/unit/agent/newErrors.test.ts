import assert from 'node:assert/strict';
import { newErrorsJudge } from '../../../src/agent/newErrors.js';
import type { Diagnostic, WorkspacePort } from '../../../src/agent/ports.js';
import type { Judge, TurnSoFar, Verdict } from '../../../src/agent/turn.js';
import { FakeTime } from './support/fakeTime.js';

const error = (path: string, line: number, message: string): Diagnostic => ({ path, line, severity: 'error', message });
const edit = (path: string, outcome: TurnSoFar['calls'][number]['outcome'] = 'ok'): TurnSoFar['calls'][number] =>
  ({ call: { id: path, name: 'propose_edit', arguments: { path } }, outcome, result: '' });

/** The verdict on edits of these files while time passes; `reports` gives what the editor reports at each look, the last one from then on. */
async function check(reports: readonly (readonly Diagnostic[] | undefined)[], calls: TurnSoFar['calls']): Promise<{ verdict: Verdict; looks: number; waited: number }> {
  const time = new FakeTime();
  let looks = 0;
  const unused = (): never => assert.fail('only diagnostics are needed');
  const workspace: WorkspacePort = {
    root: '/w', listFiles: unused, readFile: unused, searchText: unused, findSymbol: unused,
    diagnostics: () => Promise.resolve(reports[Math.min(looks++, reports.length - 1)]),
  };
  const judge: Judge = newErrorsJudge(workspace, time);
  let verdict: Verdict | undefined;
  const judged = Promise.resolve(judge({ goal: 'g', answer: 'a', calls }, new AbortController().signal)).then((given) => { verdict = given; });
  for (let i = 0; i < 100 && !verdict; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    time.advance(50);
  }
  await judged;
  assert.ok(verdict);
  assert.equal(time.pending, 0, 'no timer is left');
  return { verdict, looks, waited: time.monotonic() };
}

suite('rules judge: new errors', () => {
  const old = error('src/a.ts', 3, 'Cannot find name "x".');

  test('a turn that changed nothing is passed at once', async () => {
    const { verdict, looks } = await check([[old]], [edit('src/a.ts', 'refused'), { ...edit('src/a.ts'), call: { id: '1', name: 'read_file', arguments: { path: 'src/a.ts' } } }]);
    assert.deepEqual([verdict, looks], [{ pass: true }, 1]);
  });

  test('an error that comes late in a changed file sends the answer back with its place', async () => {
    const fresh = error('src/a.ts', 9, 'Type "string" is\nnot a number.');
    const { verdict } = await check([[old], [old], [old, fresh]], [edit('./src/a.ts')]);
    assert.deepEqual(verdict, { pass: false, reason: 'the change brought 1 new error: src/a.ts:9: Type "string" is not a number.' });
  });

  test('an error of the text before is waited out; one that stays counts', async () => {
    const stale = error('src/a.ts', 9, 'Cannot find name "seven".');
    const gone = await check([[], [stale], [stale], []], [edit('src/a.ts')]);
    assert.deepEqual(gone.verdict, { pass: true, checked: 'no new errors in src/a.ts' });
    const stays = await check([[], [stale]], [edit('src/a.ts')]);
    assert.deepEqual([stays.verdict.pass, stays.waited >= 2_000], [false, true]);
  });

  test('old errors that moved, warnings, and errors elsewhere do not count; what was looked at is said', async () => {
    const later = [{ ...old, line: 7 }, { ...error('src/a.ts', 1, 'Unused.'), severity: 'warning' as const }, error('src/b.ts', 1, 'Bad.')];
    const { verdict, waited } = await check([[old], later], [edit('src/a.ts')]);
    assert.deepEqual(verdict, { pass: true, checked: 'no new errors in src/a.ts' });
    assert.ok(waited >= 2_000, 'language servers get their time');
  });

  test('many are counted, and few are shown', async () => {
    const many = Array.from({ length: 8 }, (_, i) => error('src/a.ts', i + 1, `Error ${i}.`));
    const { verdict } = await check([[], many], [edit('src/a.ts'), edit('src/b.ts')]);
    assert.ok(!verdict.pass);
    assert.match(verdict.reason, /^the change brought 8 new errors: .*; and 3 more\.$/);
  });

  test('without an editor nothing is known, and nothing is refused', async () => {
    assert.deepEqual((await check([undefined], [edit('src/a.ts')])).verdict, { pass: true });
  });
});
