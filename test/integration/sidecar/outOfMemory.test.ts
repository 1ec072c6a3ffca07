import { strict as assert } from 'node:assert';
import type { LoadedModel, ModelRole } from '../../../src/protocol/sidecar.js';
import { isAlive } from '../../../src/model/sidecar/stateFiles.js';
import type { SidecarSupervisor } from '../../../src/model/sidecar/supervisor.js';
import { code, generate, loadParams, plain, request, value, waitUntil, Workplace } from '../../support/sidecar/harness.js';
import { MemoryGroup } from '../../support/sidecar/memoryLimit.js';

/** Real processes; real model: SmolLM2 135M (fault 8). */
suite('Out of memory in a generation', () => {
  let place: Workplace;
  setup(async () => { place = await Workplace.make(); });
  teardown(() => place.end());

  const counting = request(plain('1, 2, 3, 4, 5,'), { maxTokens: 400 });
  const signs = { kills: 0, killCount: () => signs.kills, isLow: () => Promise.resolve(false) };

  async function loadedBy(client: SidecarSupervisor, role: ModelRole = 'chat'): Promise<LoadedModel> {
    const state = value(await client.status()).roles[role];
    assert.ok(state.state === 'ready', JSON.stringify(state));
    return state.model;
  }

  /** Kills the sidecar while it generates; `counted` says whether the system counts that as a kill for want of memory. */
  async function killInMidStream(client: SidecarSupervisor, counted: boolean): Promise<void> {
    const { pid } = value(await client.start());
    let killed = false;
    const { result } = await generate(client, { ...counting, id: `kill-${pid}` }, (delta) => {
      if (delta.tokensOut < 3 || killed) return;
      killed = true;
      if (counted) signs.kills++;
      process.kill(pid, 'SIGKILL');
    });
    assert.equal(code(result), 'sidecar.crashed');
    await waitUntil('its end', () => !isAlive(pid), 5000);
  }

  test('the kernel kills it: it comes back with half the context, says so, and works', async function () {
    const group = await MemoryGroup.make();
    if (!group) this.skip();
    try {
      const client = place.client();
      const seen: (number | undefined)[] = [];
      client.onRoleState(({ state }) => { if (state.state === 'ready') seen.push(state.model.reducedFrom); });
      value(await client.load(loadParams('small', { contextSize: 4096 })));
      const { pid } = value(await client.start());
      await group.add(pid);
      await group.limit(1 << 20); // what it takes from now on: less than the next tokens need
      const { result } = await generate(client, { ...counting, prompt: plain('word '.repeat(1500)) });
      assert.equal(code(result), 'sidecar.crashed');
      const loaded = await loadedBy(client);
      assert.deepEqual([loaded.contextSize, loaded.reducedFrom], [2048, 4096]);
      assert.deepEqual(seen, [undefined, 4096]);
      assert.equal(code((await generate(client, { ...counting, id: 'again', maxTokens: 3 })).result), 'ok');
    } finally {
      await waitUntil('the group to be empty', () => group.remove().then(() => true, () => false), 10_000);
    }
  });

  test('an ordinary crash takes nothing away', async () => {
    const client = place.client({ memorySigns: signs });
    value(await client.load(loadParams('small', { contextSize: 4096 })));
    await killInMidStream(client, false);
    const loaded = await loadedBy(client);
    assert.deepEqual([loaded.contextSize, loaded.reducedFrom], [4096, undefined]);
  });

  test('again and again: never below the smallest context, and it knows where it began', async () => {
    const client = place.client({ memorySigns: signs });
    value(await client.load(loadParams('small', { contextSize: 8192 })));
    const sizes: unknown[] = [];
    for (let i = 0; i < 3; i++) {
      await killInMidStream(client, true);
      const { contextSize, reducedFrom } = await loadedBy(client);
      sizes.push([contextSize, reducedFrom]);
    }
    assert.deepEqual(sizes, [[4096, 8192], [2048, 8192], [2048, 8192]]);
  });

  test('both windows agree on the smaller context, and either can ask for the larger one again', async () => {
    const [a, b] = [place.client({ client: 'a', memorySigns: signs }), place.client({ client: 'b', memorySigns: signs })];
    const large = loadParams('small', { contextSize: 4096 });
    value(await a.load(large));
    value(await b.load(large));
    await killInMidStream(a, true);
    const [one, two] = await Promise.all([loadedBy(a), loadedBy(b)]);
    assert.deepEqual([one.contextSize, two.contextSize, two.reducedFrom], [2048, 2048, 4096]);
    assert.equal(value(await b.load(large)).contextSize, 4096);
    await killInMidStream(a, false);
    assert.deepEqual((await Promise.all([loadedBy(a), loadedBy(b)])).map(({ contextSize }) => contextSize), [4096, 4096], 'and it stays with both');
  });

  test('a restart by hand brings the context back that was asked for', async () => {
    const client = place.client({ memorySigns: signs });
    value(await client.load(loadParams('small', { contextSize: 4096 })));
    await killInMidStream(client, true);
    assert.equal((await loadedBy(client)).contextSize, 2048);
    value(await client.restart());
    const loaded = await loadedBy(client);
    assert.deepEqual([loaded.contextSize, loaded.reducedFrom], [4096, undefined]);
  });
});
