import { strict as assert } from 'node:assert';
import { MemoryPressure, systemSigns } from '../../../src/model/sidecar/memoryPressure.js';

suite('Memory pressure', () => {
  const counting = { kills: 7 as number | undefined, low: false, killCount: () => counting.kills, isLow: () => Promise.resolve(counting.low) };
  let time = 0;
  const clock = { now: () => time, monotonic: () => time };
  const begun = (kills: number | undefined, low = false): MemoryPressure => {
    Object.assign(counting, { kills, low });
    const pressure = new MemoryPressure(counting, clock);
    pressure.begin();
    return pressure;
  };

  test('a kill that the system counts is the sign, one from before the start is not', async () => {
    const pressure = begun(7);
    await pressure.sample();
    assert.equal(pressure.probablyOutOfMemory(), false);
    counting.kills = 8;
    assert.equal(pressure.probablyOutOfMemory(), true);
    pressure.begin();
    assert.equal(pressure.probablyOutOfMemory(), false);
  });

  test('a sample between the kill and its notice does not hide it, two do', async () => {
    const pressure = begun(7);
    await pressure.sample();
    counting.kills = 8;
    await pressure.sample();
    assert.equal(pressure.probablyOutOfMemory(), true);
    await pressure.sample();
    assert.equal(pressure.probablyOutOfMemory(), false);
  });

  test('where kills are not counted, little free memory shortly before the end is the sign', async () => {
    const pressure = begun(undefined, true);
    assert.equal(pressure.probablyOutOfMemory(), false);
    await pressure.sample();
    assert.equal(pressure.probablyOutOfMemory(), true);
    counting.low = false;
    time += 1_500;
    await pressure.sample();
    assert.equal(pressure.probablyOutOfMemory(), true, 'not asked again at once');
    time += 5_000;
    await pressure.sample();
    assert.equal(pressure.probablyOutOfMemory(), false);
  });

  test('this system says what it can', async () => {
    assert.equal(typeof systemSigns.killCount(), process.platform === 'linux' ? 'number' : 'undefined');
    assert.equal(typeof await systemSigns.isLow(), 'boolean');
  });
});
