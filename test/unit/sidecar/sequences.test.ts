import { strict as assert } from 'node:assert';
import type { Clock } from '../../../src/base/clock.js';
import { SequencePool } from '../../../src/sidecar/engine/sequencePool.js';
import { restorablePrefix, type SequenceState } from '../../../src/sidecar/engine/sequenceState.js';

suite('Going back to a prefix in a sliding-window cache', () => {
  const window = 512;
  test('is exact while the whole window before the cut is there', () => {
    assert.equal(restorablePrefix(1000, 0, window, []), 1000);
    assert.equal(restorablePrefix(1000, 488, window, []), 1000);
    assert.equal(restorablePrefix(300, 0, window, []), 300);
  });
  test('takes the latest checkpoint that the engine can be made to restore', () => {
    assert.equal(restorablePrefix(1000, 1500, window, [299, 799, 1200]), 800);
    assert.equal(restorablePrefix(1000, 600, window, [299, 799]), 300);
  });
  test('starts over rather than with half a window', () => {
    assert.equal(restorablePrefix(1000, 489, window, []), 0);
    assert.equal(restorablePrefix(300, 1, window, [900]), 0);
  });
  test('a recurrent state is never cut', () => assert.equal(restorablePrefix(1000, 0, undefined, []), 0));
});

suite('Sequence pool', () => {
  class ManualClock implements Clock {
    time = 100_000;
    now = (): number => this.time;
    monotonic = (): number => this.time;
  }
  /** What the pool asks of a sequence. */
  const sequence = (tokens: number[]): SequenceState => {
    const state: Pick<SequenceState, 'conversation' | 'lastUsed' | 'sharedWith' | 'tokens'> = {
      conversation: undefined, lastUsed: 0, tokens,
      sharedWith: (prompt) => { let i = 0; while (i < tokens.length && tokens[i] === prompt[i]) i++; return i; },
    };
    return state as SequenceState;
  };
  const never = new AbortController().signal;

  test('a conversation comes back to its own sequence, others get the rest', async () => {
    const pool = new SequencePool([sequence([]), sequence([])], new ManualClock());
    const a = await pool.take('a', [1], never);
    pool.release(a);
    const b = await pool.take('b', [1], never);
    pool.release(b);
    assert.notEqual(a, b);
    assert.equal(await pool.take('a', [2], never), a);
  });

  test('the least recently used one goes first', async () => {
    const clock = new ManualClock();
    const pool = new SequencePool([sequence([]), sequence([])], clock);
    for (const name of ['a', 'b', 'a']) {
      clock.time += 1000;
      pool.release(await pool.take(name, [1], never));
    }
    const c = await pool.take('c', [1], never);
    assert.equal(c.conversation, 'c');
    assert.equal(pool.all.find((state) => state !== c)?.conversation, 'a');
  });

  test('a conversation that was left gives its prefix to a new one that shares it', async () => {
    const clock = new ManualClock();
    const pool = new SequencePool([sequence([1, 2, 3, 4]), sequence([])], clock);
    const old = await pool.take('old', [1, 2, 3, 4], never);
    pool.release(old);
    assert.notEqual(await pool.take('soon', [1, 2, 3, 5], never), old);
    clock.time += 60_000;
    assert.equal(await pool.take('later', [1, 2, 3, 5], never), old);
  });

  test('a prefix without a conversation is for whoever asks with it; others take what loses less', async () => {
    const [warm, bare] = [sequence([1, 2, 3, 4]), sequence([9])];
    const pool = new SequencePool([warm, bare], new ManualClock());
    const title = await pool.take('title', [7, 8], never);
    assert.equal(title, bare);
    assert.equal(await pool.take('chat', [1, 2, 3, 4, 5], never), warm);
  });

  test('a sequence is wanted by those who could have it, not by those who wait for their own', async () => {
    const pool = new SequencePool([sequence([]), sequence([])], new ManualClock());
    const [a, b] = [await pool.take('a', [1], never), await pool.take('b', [1], never)];
    const again = pool.take('a', [1], never);
    assert.deepEqual([pool.isWanted(a), pool.isWanted(b)], [true, false]);
    const c = pool.take('c', [1], never);
    assert.equal(pool.isWanted(b), true);
    pool.release(b);
    assert.equal(await c, b);
    pool.release(a);
    assert.equal(await again, a);
  });

  test('two requests of one conversation follow each other', async () => {
    const pool = new SequencePool([sequence([]), sequence([])], new ManualClock());
    const first = await pool.take('a', [1], never);
    let second: SequenceState | undefined;
    const waiting = pool.take('a', [1], never).then((state) => { second = state; });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(second, undefined);
    pool.release(first);
    await waiting;
    assert.equal(second, first);
  });

  test('who stops waiting is out of the queue', async () => {
    const pool = new SequencePool([sequence([])], new ManualClock());
    const first = await pool.take('a', [1], never);
    const controller = new AbortController();
    const gone = pool.take('b', [1], controller.signal);
    const next = pool.take('c', [1], never);
    controller.abort();
    await assert.rejects(gone, { name: 'AbortError' });
    pool.release(first);
    assert.equal((await next).conversation, 'c');
  });
});
