import assert from 'node:assert/strict';
import { RestartPolicy } from '../../../src/extension/inline/restartPolicy.js';

suite('inline: restarts of the language server', () => {
  const check = (name: string, crashesAt: readonly number[], expected: readonly (number | undefined)[]): void => {
    test(name, () => {
      const policy = new RestartPolicy();
      assert.deepEqual(crashesAt.map((at) => policy.crashed(at * 1000)), expected);
    });
  };
  check('each crash of a row doubles the wait, the fifth ends it', [0, 1, 2, 3, 4], [250, 500, 1000, 2000, undefined]);
  check('crashes long ago do not count', [0, 200, 400, 600, 800, 1000], [250, 250, 250, 250, 250, 250]);
  check('five within three minutes', [0, 40, 80, 120, 160], [250, 500, 1000, 2000, undefined]);

  test('a restart that waits can be called off, and then does not come', async () => {
    const policy = new RestartPolicy();
    assert.equal(policy.isWaiting, false);
    const called = policy.wait(60_000);
    assert.equal(policy.isWaiting, true);
    policy.callOff();
    assert.equal(policy.isWaiting, false);
    assert.equal(await called, false);
    assert.equal(await policy.wait(1), true);
  });

  test('a start by hand begins anew', () => {
    const policy = new RestartPolicy();
    for (let i = 0; i < 5; i++) policy.crashed(i);
    policy.reset();
    assert.equal(policy.crashed(10), 250);
  });
});
