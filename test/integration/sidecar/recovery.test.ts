import { strict as assert } from 'node:assert';
import { readFile } from 'node:fs/promises';
import type { SupervisorState } from '../../../src/model/sidecar/supervisor.js';
import { isAlive } from '../../../src/model/sidecar/stateFiles.js';
import { code, generate, loadParams, plain, request, value, waitUntil, Workplace } from '../../support/sidecar/harness.js';

/** Real processes; real model: SmolLM2 135M (faults 1, 2 and 3). */
suite('Recovery of the sidecar', () => {
  let place: Workplace;
  setup(async () => { place = await Workplace.make(); });
  teardown(() => place.end());

  const counting = request(plain('1, 2, 3, 4, 5,'), { maxTokens: 400 });

  test('killed in mid-stream: the text so far stays, and within 5 s it answers again with the same model', async () => {
    const client = place.client();
    const states: SupervisorState['state'][] = [];
    client.onState((state) => states.push(state.state));
    value(await client.load(loadParams('small')));
    const { pid } = value(await client.start());
    let killed = 0;
    const { result, deltas } = await generate(client, counting, (delta) => {
      if (delta.tokensOut < 5 || killed > 0) return;
      killed = performance.now();
      process.kill(pid, 'SIGKILL');
    });
    assert.equal(code(result), 'sidecar.crashed');
    assert.match(deltas.map((delta) => delta.text).join(''), /6/);
    const status = value(await client.status());
    const tookMs = performance.now() - killed;
    assert.ok(tookMs < 5000, `${Math.round(tookMs)} ms`);
    assert.equal(status.roles.chat.state, 'ready');
    assert.notEqual(status.pid, pid);
    assert.equal(code((await generate(client, { ...counting, id: 'again', maxTokens: 3 })).result), 'ok');
    assert.deepEqual(states, ['starting', 'ready', 'restarting', 'ready']);
  });

  test('a load of another client that goes down with the process is told to those who wait for it', async () => {
    const [loads, waits] = [place.client({ client: 'loads' }), place.client({ client: 'waits' })];
    value(await waits.start());
    const seen: string[] = [];
    waits.onRoleState(({ role, state }) => {
      seen.push(`${role} ${state.state}${state.state === 'failed' ? ` ${state.error.code}` : ''}`);
      if (state.state === 'loading' && seen.length === 1) void place.pid().then((pid) => process.kill(pid!, 'SIGKILL'));
    });
    assert.equal(code(await loads.load(loadParams('small'))), 'sidecar.crashed');
    await waitUntil('the news', () => seen.includes('chat failed sidecar.crashed'), 2000);
  });

  test('stopped with SIGSTOP: noticed by its silence, ended and replaced', async function () {
    if (process.platform === 'win32') this.skip();
    const client = place.client({ heartbeatMs: 200, hangMs: 1000 });
    value(await client.load(loadParams('small')));
    const { pid } = value(await client.start());
    let stopped = 0;
    const { result } = await generate(client, { ...counting, id: 'hang' }, (delta) => {
      if (delta.tokensOut < 5 || stopped > 0) return;
      stopped = performance.now();
      process.kill(pid, 'SIGSTOP');
    });
    assert.equal(code(result), 'sidecar.crashed');
    assert.notEqual(value(await client.status()).pid, pid);
    assert.ok(performance.now() - stopped < 8000);
    await waitUntil('the end of the stopped process', () => !isAlive(pid), 2000);
  });

  test('a second client survives the crash too, and both share the new process', async () => {
    const [a, b] = [place.client({ client: 'a' }), place.client({ client: 'b' })];
    value(await a.load(loadParams('small')));
    const { pid } = value(await b.start());
    process.kill(pid, 'SIGKILL');
    await waitUntil('its end', () => !isAlive(pid), 2000);
    const [one, two] = await Promise.all([a.status(), b.status()]);
    assert.equal(value(one).pid, value(two).pid);
    assert.equal(value(one).roles.chat.state, 'ready');
  });

  test('five crashes: it stops trying, says where the log is, and a restart by hand works', async () => {
    const client = place.client();
    let pid = value(await client.start()).pid;
    for (let crash = 1; crash <= 5; crash++) {
      process.kill(pid, 'SIGKILL');
      await waitUntil(`crash ${crash}`, () => client.state.state !== 'ready', 5000);
      if (crash === 5) break;
      pid = value(await client.start()).pid;
    }
    const failed = await client.status();
    assert.equal(code(failed), 'sidecar.crashLoop');
    const log = failed.ok ? '' : String(failed.error.data?.['log']);
    assert.match(await readFile(log, 'utf8'), /Listening/);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    assert.equal(await place.pid() === undefined || !isAlive(await place.pid() ?? 0), true, 'nothing was started again');
    value(await client.restart());
    assert.equal(client.state.state, 'ready');
  });

  test('restart by hand brings the model back in a new process', async () => {
    const client = place.client();
    value(await client.load(loadParams('small')));
    const { pid } = value(await client.start());
    assert.notEqual(value(await client.restart()).pid, pid);
    assert.equal(value(await client.status()).roles.chat.state, 'ready');
    await waitUntil('the end of the old process', () => !isAlive(pid), 3000);
  });
});
