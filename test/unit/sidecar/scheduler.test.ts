import { strict as assert } from 'node:assert';
import type { Clock } from '../../../src/base/clock.js';
import { type Lane, Scheduler } from '../../../src/sidecar/engine/scheduler.js';

/** Time that passes only while work runs. */
class WorkClock implements Clock {
  time = 0;
  now = (): number => this.time;
  monotonic = (): number => this.time;
}

suite('Scheduler', () => {
  let clock: WorkClock;
  let scheduler: Scheduler;
  let order: string[];
  setup(() => {
    clock = new WorkClock();
    scheduler = new Scheduler(clock);
    order = [];
  });

  const run = async (lane: Lane, name: string, steps: number, ms: number): Promise<void> => {
    for (let i = 0; i < steps; i++) {
      await lane.step(async () => {
        await Promise.resolve();
        clock.time += ms;
        order.push(name);
      });
    }
    lane.close();
  };

  test('runs one step at a time', async () => {
    let inside = 0;
    let most = 0;
    const work = async (lane: Lane): Promise<void> => {
      for (let i = 0; i < 5; i++) {
        await lane.step(async () => {
          most = Math.max(most, ++inside);
          await new Promise((resolve) => setImmediate(resolve));
          inside--;
        });
      }
    };
    await Promise.all([work(scheduler.open('chat')), work(scheduler.open('chat')), work(scheduler.open('completion'))]);
    assert.equal(most, 1);
  });

  test('a completion goes before every chat step that has not begun', async () => {
    const chat = run(scheduler.open('chat'), 'chat', 6, 10);
    const other = run(scheduler.open('chat'), 'other', 6, 10);
    const completion = run(scheduler.open('completion'), 'completion', 3, 10);
    await Promise.all([chat, other, completion]);
    assert.deepEqual(order.slice(0, 4), ['chat', 'completion', 'completion', 'completion']);
    assert.equal(order.length, 15);
  });

  test('work in the background waits for both, after the step that it is in', async () => {
    const background = run(scheduler.open('background'), 'background', 4, 10);
    await Promise.all([background, run(scheduler.open('chat'), 'chat', 3, 100), run(scheduler.open('completion'), 'completion', 2, 10)]);
    assert.deepEqual(order, ['background', 'completion', 'completion', 'chat', 'chat', 'chat', 'background', 'background', 'background']);
  });

  test('two chats get equal time, not equal steps', async () => {
    await Promise.all([run(scheduler.open('chat'), 'slow', 4, 100), run(scheduler.open('chat'), 'quick', 40, 10)]);
    const untilSlowEnds = order.slice(0, order.lastIndexOf('slow') + 1);
    const quick = untilSlowEnds.filter((name) => name === 'quick').length;
    assert.ok(quick >= 25 && quick <= 40, `${quick} quick steps beside 4 slow ones`);
  });

  test('a newcomer does not claim the time others used before', async () => {
    const first = scheduler.open('chat');
    await run(first, 'before', 10, 100);
    const old = scheduler.open('chat');
    for (let i = 0; i < 10; i++) await old.step(async () => { clock.time += 100; });
    await Promise.all([run(old, 'old', 10, 10), run(scheduler.open('chat'), 'new', 10, 10)]);
    const half = order.slice(10, 20);
    assert.ok(half.includes('old') && half.includes('new'), half.join());
  });

  test('a step that throws lets the next one in', async () => {
    const lane = scheduler.open('chat');
    await assert.rejects(lane.step(() => Promise.reject(new Error('boom'))), /boom/);
    await run(lane, 'after', 1, 1);
    assert.deepEqual(order, ['after']);
  });

  test('counts the time a lane waited', async () => {
    const waiting = scheduler.open('chat');
    const first = run(scheduler.open('chat'), 'first', 1, 250);
    await run(waiting, 'second', 1, 10);
    await first;
    assert.equal(waiting.waitedMs, 250);
  });
});
