import { strict as assert } from 'node:assert';
import type { Clock } from '../../../src/base/clock.js';
import { CrashLimit } from '../../../src/model/sidecar/crashLimit.js';
import { PingWatch } from '../../../src/model/sidecar/heartbeat.js';

class ManualClock implements Clock {
  time = 1000;
  now = (): number => this.time;
  monotonic = (): number => this.time;
}

suite('Crash limit', () => {
  test('waits longer each time and stops at the fifth crash within three minutes', () => {
    const clock = new ManualClock();
    const limit = new CrashLimit(clock);
    const delays = Array.from({ length: 5 }, () => { clock.time += 10_000; return limit.crashed(); });
    assert.deepEqual(delays, [0, 250, 500, 1000, 'stop']);
  });

  test('forgets crashes after three minutes, and all of them on reset', () => {
    const clock = new ManualClock();
    const limit = new CrashLimit(clock);
    for (let i = 0; i < 20; i++) {
      clock.time += 60_000;
      assert.notEqual(limit.crashed(), 'stop');
    }
    for (let i = 0; i < 4; i++) limit.crashed();
    limit.reset();
    assert.equal(limit.crashed(), 0);
  });
});

suite('Heartbeat', () => {
  const watch = (): PingWatch => new PingWatch(1500, 5000);

  test('a peer that answers never hangs', () => {
    const w = watch();
    for (let time = 0; time < 60_000; time += 1500) {
      assert.equal(w.tick(time), 'ping');
      w.answered();
    }
  });

  test('five seconds of silence are a hang', () => {
    const w = watch();
    assert.deepEqual([0, 1500, 3000, 4500, 6000].map((time) => w.tick(time)), ['ping', 'wait', 'wait', 'wait', 'hang']);
  });

  test('time in which we slept ourselves does not count', () => {
    const w = watch();
    assert.equal(w.tick(0), 'ping');
    assert.equal(w.tick(3_600_000), 'wait');
    assert.deepEqual([1, 2, 3, 4].map((i) => w.tick(3_600_000 + i * 1500)), ['wait', 'wait', 'wait', 'hang']);
  });
});
