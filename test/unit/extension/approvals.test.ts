import { strict as assert } from 'node:assert';
import type { Approval, Decision, Remember } from '../../../src/protocol/agentEvents.js';
import { minimalEdit } from '../../../src/extension/approvals/minimalEdit.js';
import { PendingApprovals } from '../../../src/extension/approvals/pendingApprovals.js';
import { parseEditPath, previewPath } from '../../../src/extension/approvals/previewPath.js';

const command = (id: string): Approval => ({ id, kind: 'command', command: 'ls', cwd: '.' });

suite('pending approvals', () => {
  test('an id is good for one decision', async () => {
    const approvals = new PendingApprovals();
    const asked = approvals.request(command('a'), new AbortController().signal);
    assert.equal(approvals.decide('b', 'accepted'), false);
    assert.equal(approvals.decide('a', 'accepted'), true);
    assert.equal(approvals.decide('a', 'rejected'), false);
    assert.equal(await asked, 'accepted');
    await assert.rejects(approvals.request(command('a'), new AbortController().signal), /twice/);
    approvals.dispose();
  });

  test('a yes is remembered only when it is a yes, and as the approval offered it', async () => {
    const approvals = new PendingApprovals();
    const told: string[] = [];
    const decide = async (id: string, offered: readonly Remember[] | undefined, decision: Decision, scope: Remember): Promise<void> => {
      const asked = approvals.request({ ...command(id), ...(offered ? { remember: offered } : {}) }, new AbortController().signal, (remembered) => told.push(`${id} ${remembered}`));
      assert.ok(approvals.decide(id, decision, scope));
      assert.equal(await asked, decision);
    };
    await decide('a', undefined, 'accepted', 'session');
    await decide('b', ['exact'], 'accepted', 'session');
    await decide('c', ['exact', 'session'], 'rejected', 'session');
    await decide('d', ['exact', 'session'], 'accepted', 'session');
    await decide('e', ['exact'], 'accepted', 'exact');
    assert.deepEqual(told, ['d session', 'e exact']);
    approvals.dispose();
  });

  test('a cancelled turn withdraws its approval', async () => {
    const approvals = new PendingApprovals();
    const controller = new AbortController();
    const states: string[] = [];
    approvals.onDidChange(({ state }) => states.push(state));
    const asked = approvals.request(command('a'), controller.signal);
    controller.abort();
    await assert.rejects(asked, { name: 'AbortError' });
    assert.equal(approvals.decide('a', 'accepted'), false);
    assert.deepEqual(approvals.pending, []);
    assert.deepEqual(states, ['requested', 'resolved']);
    approvals.dispose();
  });
});

suite('minimal edit', () => {
  const apply = (before: string, after: string): string => {
    const { start, end, text } = minimalEdit(before, after);
    return before.slice(0, start) + text + before.slice(end);
  };

  test('gives exactly the new text and touches nothing around it', () => {
    const cases: [string, string][] = [
      ['', ''], ['', 'a'], ['a', ''], ['abc', 'abc'], ['aaa', 'aa'], ['aa', 'aaa'], ['abcabc', 'abc'], ['one\ntwo\nthree', 'one\n2\nthree'],
      ['a\r\nb', 'a\nb'], ['a\nb', 'a\r\nb'], ['x😀y', 'x😁y'], ['😀😀', '😀'],
    ];
    for (const [before, after] of cases) assert.equal(apply(before, after), after, JSON.stringify([before, after]));
    assert.deepEqual(minimalEdit('one\ntwo\nthree', 'one\n2\nthree'), { start: 4, end: 7, text: '2' });
  });

  test('never splits a surrogate pair or a CRLF', () => {
    assert.deepEqual(minimalEdit('x😀y', 'x😁y'), { start: 1, end: 3, text: '😁' });
    assert.deepEqual(minimalEdit('a\r\nb', 'a\nb'), { start: 1, end: 3, text: '\n' });
  });

  test('random texts', () => {
    let seed = 7;
    const random = (n: number): number => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
    const text = (): string => Array.from({ length: random(12) }, () => ['a', 'b', '\r', '\n', '😀', '😁'][random(6)]).join('');
    for (let i = 0; i < 2000; i += 1) {
      const [before, after] = [text(), text()];
      assert.equal(apply(before, after), after, JSON.stringify([before, after]));
    }
  });
});

suite('preview path', () => {
  test('is read back, whatever the file is called', () => {
    const path = previewPath('after', 'a1-b2', 'src/a b/ü#?.ts');
    assert.deepEqual(parseEditPath(path), { side: 'after', id: 'a1-b2', file: 'src/a b/ü#?.ts' });
    assert.equal(parseEditPath('/else/a/b'), undefined);
  });
});
