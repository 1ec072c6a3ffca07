import { strict as assert } from 'node:assert';
import type { Token } from 'node-llama-cpp';
import { systemClock } from '../../../src/base/clock.js';
import type { GenerationContext } from '../../../src/sidecar/engine/generation.js';
import { Newest } from '../../../src/sidecar/engine/newest.js';
import { readAhead } from '../../../src/sidecar/engine/readAhead.js';
import { type Lane, Scheduler } from '../../../src/sidecar/engine/scheduler.js';
import { SequencePool } from '../../../src/sidecar/engine/sequencePool.js';
import { SequenceState } from '../../../src/sidecar/engine/sequenceState.js';
import { SliceSize, tile } from '../../../src/sidecar/engine/sliceSize.js';

/** A sequence that keeps tokens and counts what it evaluates; one token for each character. */
class FakeSequence {
  contextTokens: Token[] = [];
  readonly needsCheckpoints = false;
  readonly tokenMeter = { usedInputTokens: 0, usedOutputTokens: 0 };
  onEvaluate: (tokens: number) => void = () => undefined;

  get nextTokenIndex(): number {
    return this.contextTokens.length;
  }

  evaluateWithoutGeneratingNewTokens(tokens: readonly Token[]): Promise<void> {
    this.contextTokens.push(...tokens);
    this.tokenMeter.usedInputTokens += tokens.length;
    this.onEvaluate(tokens.length);
    return Promise.resolve();
  }

  adaptStateToTokens(tokens: readonly Token[]): Promise<void> {
    this.contextTokens = [...tokens];
    return Promise.resolve();
  }

  clearHistory(): Promise<void> {
    this.contextTokens = [];
    return Promise.resolve();
  }
}

suite('Reading ahead in the sidecar', () => {
  const sequence = new FakeSequence();
  let scheduler: Scheduler;
  let lane: Lane;
  let pool: SequencePool;
  /** Tokens of a short slice at that speed. */
  const short = 3 * tile;
  let time = 0;
  const clock = { now: () => time, monotonic: () => time };
  setup(() => {
    time = 1_000_000;
    sequence.contextTokens = [];
    sequence.onEvaluate = () => undefined;
    scheduler = new Scheduler(systemClock);
    lane = scheduler.open('background');
    pool = new SequencePool([new SequenceState(sequence as unknown as ConstructorParameters<typeof SequenceState>[0], undefined)], clock);
  });
  const read = (text: string, conversation = 'a', signal = new AbortController().signal): ReturnType<typeof readAhead> => {
    const model = { tokenize: (part: string) => [...part].map((letter) => letter.charCodeAt(0) as Token), tokens: { bos: null, shouldPrependBosToken: false }, fileInfo: { metadata: { tokenizer: { ggml: {} } } } };
    const slices = new SliceSize(512, clock);
    slices.measured(64, 64); // 1,000 tokens per second
    const role = { model, context: { contextSize: 4096 }, pool, slices, snapshots: { find: () => Promise.resolve(undefined) } };
    const context = { llama: {}, role, lane, clock: systemClock, signal } as unknown as GenerationContext;
    return readAhead(context, { role: 'chat', conversation, prompt: [{ text, control: false }] });
  };
  const take = async (text: string, conversation = 'a'): Promise<number> => {
    const prompt = [...text].map((letter) => letter.charCodeAt(0));
    const state = await pool.take(conversation, prompt, new AbortController().signal);
    const ahead = state.takeAhead(await state.align(prompt));
    pool.release(state);
    return ahead;
  };

  test('reads what is new of a question that grows, and counts it once for the request that uses it', async () => {
    assert.equal((await read('The tail. ')).prefilled, 10);
    const second = await read('The tail. Where is');
    assert.deepEqual([second.tokens, second.reused, second.prefilled], [18, 10, 8]);
    assert.equal(await take('The tail. Where is it?'), 18);
    assert.equal(await take('The tail. Where is it?'), 0);
  });

  test('after a deletion the words that are there again are not read again', async () => {
    await read('The tail. Where is the');
    const shorter = await read('The tail. Where');
    assert.deepEqual([shorter.reused, shorter.prefilled, sequence.nextTokenIndex], [15, 0, 22]);
    const other = await read('The tail. Where are');
    assert.deepEqual([other.reused, other.prefilled], [16, 3]);
    assert.equal(await take('The tail. Where are they?'), 19);
  });

  test('tokens that a request read do not count as read ahead', async () => {
    await sequence.evaluateWithoutGeneratingNewTokens([...'The tail. '].map((letter) => letter.charCodeAt(0) as Token));
    pool.release(await pool.take('a', [], new AbortController().signal));
    await read('The tail. Where');
    assert.equal(await take('The tail. Where?'), 5);
  });

  test('gives up after the slice it is in when anything else is asked, and keeps what it has', async () => {
    let other: Lane | undefined;
    sequence.onEvaluate = () => { other ??= scheduler.open('chat'); };
    const { tokens, prefilled } = await read('x'.repeat(1000));
    assert.deepEqual([tokens, prefilled, sequence.nextTokenIndex], [1000, short, short]);
    assert.equal((await read('y')).prefilled, 0, 'and does not begin while it is at work');
    assert.equal(sequence.nextTokenIndex, short);
    other?.close();
    assert.equal((await read('x'.repeat(1000))).prefilled, 1000 - short);
  });

  test('its slices are short, so that whoever comes waits little, but whole tiles', () => {
    const slices = new SliceSize(512, clock);
    slices.measured(64, 64);
    assert.deepEqual([slices.next(1000), slices.next(1000, true), slices.next(90, true)], [512, short, 90]);
    for (let i = 0; i < 20; i++) slices.measured(64, 1000);
    assert.equal(slices.next(1000, true), tile);
  });

  test('waits for no sequence, and takes none that another conversation used just now', async () => {
    await take('Another.', 'b');
    assert.deepEqual(await read('Mine').then(({ reused, prefilled }) => [reused, prefilled]), [0, 0]);
    time += 31_000;
    assert.equal((await read('Mine')).prefilled, 4);
    const held = await pool.take('a', [], new AbortController().signal);
    assert.equal((await read('Mine and more')).prefilled, 0);
    pool.release(held);
  });

  test('aborted, it stops before the next slice', async () => {
    const controller = new AbortController();
    sequence.onEvaluate = () => controller.abort();
    await assert.rejects(read('x'.repeat(1000), 'a', controller.signal), { name: 'AbortError' });
    assert.equal(sequence.nextTokenIndex, short);
  });
});

suite('Newest work', () => {
  test('one at a time: a newer one ends those before it and begins when they have let go', async () => {
    const newest = new Newest();
    const log: string[] = [];
    const work = (name: string) => newest.run(new AbortController().signal, async (signal) => {
      log.push(`${name} begins`);
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      await new Promise((resolve) => setImmediate(resolve));
      log.push(`${name} ends`);
      signal.throwIfAborted();
    });
    const first = work('first');
    await new Promise((resolve) => setImmediate(resolve));
    const second = work('second');
    const third = newest.run(new AbortController().signal, () => Promise.resolve(log.push('third begins')));
    await assert.rejects(first, { name: 'AbortError' });
    await assert.rejects(second, { name: 'AbortError' });
    await third;
    assert.deepEqual(log, ['first begins', 'first ends', 'third begins']);
  });

  test('a failure is the caller\'s, and the next one begins', async () => {
    const newest = new Newest();
    await assert.rejects(newest.run(new AbortController().signal, () => Promise.reject(new Error('boom'))), /boom/);
    assert.equal(await newest.run(new AbortController().signal, () => Promise.resolve(1)), 1);
    await assert.rejects(newest.run(AbortSignal.abort(), () => Promise.resolve(1)), { name: 'AbortError' });
  });
});
