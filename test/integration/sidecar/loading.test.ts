import { strict as assert } from 'node:assert';
import { createReadStream } from 'node:fs';
import { copyFile, open, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kvCacheBytes } from '../../../src/model/fit.js';
import { engineStorage, presetFormat, resolveKv } from '../../../src/model/kvPresets.js';
import type { Result } from '../../../src/base/result.js';
import type { SidecarSupervisor } from '../../../src/model/sidecar/supervisor.js';
import { kvPresets } from '../../../src/protocol/kv.js';
import type { LoadedModel, RoleState } from '../../../src/protocol/sidecar.js';
import { code, generate, loadParams, modelFile, plain, request, value, Workplace } from '../../support/sidecar/harness.js';

/** Attention of SmolLM2 135M: 30 layers of three heads with 64 values. */
const smallShape = {
  architecture: 'llama',
  kv: {
    global: { layers: 30, keyElements: 192, valueElements: 192, keyHead: 64, valueHead: 64 },
    local: { layers: 0, keyElements: 0, valueElements: 0, keyHead: 0, valueHead: 0 }, window: 0,
  },
};

/** Real processes; real models: SmolLM2 135M, and Qwen2.5-Coder 1.5B as the one that is too large (faults 7 and 13). */
suite('Loading models', () => {
  let place: Workplace;
  setup(async () => { place = await Workplace.make(); });
  teardown(() => place.end());

  test('every preset is stored as the engine says it can, and takes the bytes of that', async () => {
    const client = place.client();
    const { engine } = value(await client.status());
    for (const kvPreset of kvPresets) {
      const { kv, kvNote, kvBytesTotal } = value(await client.load(loadParams('small', { kvPreset, contextSize: 512 })));
      const own = presetFormat(kvPreset, smallShape);
      const has = [own.keys, own.values].every((type) => type === 'f16' || engine.formats.includes(type));
      assert.deepEqual([kv, kvNote === undefined], [has ? own : resolveKv(kvPreset, smallShape, engineStorage(engine)).format, has], kvPreset);
      // What the engine says it allocated follows the format, so the format is really in use.
      const one = kvCacheBytes(smallShape.kv, 512, kv);
      assert.ok([1, 2].some((sequences) => Math.abs(kvBytesTotal - one * sequences) < 0.02 * one * sequences), `${kvPreset}: ${kvBytesTotal}`);
    }
  });

  test('reports its progress, and loading the same again is no work', async () => {
    const client = place.client();
    const seen: RoleState['state'][] = [];
    client.onRoleState(({ state }) => seen.push(state.state));
    const first = value(await client.load(loadParams('small')));
    assert.deepEqual([seen[0], seen.at(-1)], ['loading', 'ready']);
    const before = seen.length;
    assert.deepEqual(value(await client.load(loadParams('small'))), first);
    assert.equal(seen.length, before);
  });

  test('a load that is cancelled ends early, and the next one is not harmed', async () => {
    const client = place.client();
    const stop = new AbortController();
    client.onRoleState(({ state }) => {
      if (state.state === 'loading') stop.abort();
    });
    assert.equal(code(await client.load(loadParams('large', { contextSize: 512 }), stop.signal)), 'cancelled');
    const { chat } = value(await client.status()).roles;
    assert.ok(chat.state === 'failed' && chat.error.code === 'cancelled', JSON.stringify(chat));
    value(await client.load(loadParams('small', { contextSize: 512 })));
    assert.equal(code((await generate(client, request(plain('1, 2, 3,'), { maxTokens: 3 }))).result), 'ok');
  });

  test('attack 24: a file that ends the process twice while it is loaded is left alone, in every window, until it changes or the user restarts', async () => {
    const modelPath = join(place.stateDir, 'hostile.gguf');
    await copyFile(modelFile('small'), modelPath);
    const load = (client: SidecarSupervisor): Promise<Result<LoadedModel>> => client.load(loadParams('small', { modelPath, contextSize: 512 }));
    const client = place.client();
    let [kill, loads] = [true, 0];
    client.onRoleState(({ state }) => {
      if (state.state !== 'loading' || state.fraction !== 0) return;
      loads++;
      if (kill) void place.pid().then((pid) => process.kill(pid!, 'SIGKILL'));
    });
    assert.deepEqual([code(await load(client)), code(await load(client)), code(await load(client))], ['sidecar.crashed', 'sidecar.crashed', 'model.quarantined']);
    const tried = loads;
    const elsewhere = await load(place.client());
    assert.ok(!elsewhere.ok && elsewhere.error.next.includes('Restart Sidecar'), JSON.stringify(elsewhere));
    assert.equal(loads, tried, 'nothing read the file');
    kill = false;
    value(await client.load(loadParams('small', { contextSize: 512 })));
    value(await client.restart());
    value(await load(client));
    value(await client.unload('chat'));
    kill = true;
    await utimes(modelPath, new Date(), new Date());
    assert.deepEqual([code(await load(client)), code(await load(client)), code(await load(client))], ['sidecar.crashed', 'sidecar.crashed', 'model.quarantined']);
    kill = false;
    await utimes(modelPath, new Date(0), new Date(0));
    value(await load(client));
  });

  test('a model that does not fit is an error that names a context that fits, and the one before stays usable', async () => {
    const client = place.client({ memoryLimit: 900e6 });
    value(await client.load(loadParams('small', { contextSize: 512 })));
    const tooLarge = await client.load(loadParams('large'));
    assert.equal(code(tooLarge), 'model.outOfMemory');
    assert.equal(tooLarge.ok ? 1 : tooLarge.error.data?.['contextThatFits'], 0);
    assert.equal(code((await generate(client, request(plain('1, 2, 3,'), { maxTokens: 3 }))).result), 'ok');
    assert.equal(value(await client.status()).roles.chat.state, 'ready');

    const tooLong = await client.load(loadParams('qwen', { contextSize: 32_768 }));
    assert.equal(code(tooLong), 'model.outOfMemory');
  });

  test('the context size that it names does load', async () => {
    const client = place.client({ memoryLimit: 560e6 });
    const tooLong = await client.load(loadParams('small', { contextSize: 8192 }));
    assert.equal(code(tooLong), 'model.outOfMemory');
    const fits = Number(tooLong.ok ? 0 : tooLong.error.data?.['contextThatFits']);
    assert.ok(fits >= 512 && fits < 8192, String(fits));
    assert.equal(value(await client.load(loadParams('small', { contextSize: fits }))).contextSize, fits);
  });

  test('a file cut anywhere never reaches the engine, and the process lives', async () => {
    const client = place.client();
    const { pid } = value(await client.start());
    const path = join(place.stateDir, 'cut.gguf');
    await copyFile(modelFile('small'), path);
    const { size } = await stat(path);
    for (let i = 19; i >= 0; i--) {
      const length = Math.max(4, Math.floor((size * i) / 20));
      await truncate(path, length);
      assert.equal(code(await client.load(loadParams('small', { modelPath: path }))), 'model.truncated', `cut at ${length} of ${size}`);
    }
    assert.equal(value(await client.status()).pid, pid);
  });

  test('other files are refused for what they are', async () => {
    const client = place.client();
    const path = join(place.stateDir, 'x.gguf');
    for (const content of ['', 'PK\u0003\u0004', '<!DOCTYPE html><html>Not found</html>', 'GGUX' + 'x'.repeat(1000)]) {
      await writeFile(path, content);
      assert.equal(code(await client.load(loadParams('small', { modelPath: path }))), 'model.notGguf', content.slice(0, 10));
    }
    assert.equal(code(await client.load(loadParams('small', { modelPath: join(place.stateDir, 'absent.gguf') }))), 'model.notFound');
    assert.equal(code(await client.load(loadParams('small', { modelPath: place.stateDir }))), 'model.notGguf');
  });

  test('a header with flipped bytes is refused or fails as a value, and never ends the process', async () => {
    const client = place.client();
    const { pid } = value(await client.start());
    const head: Buffer[] = [];
    for await (const chunk of createReadStream(modelFile('small'), { end: 4096 })) head.push(chunk as Buffer);
    const path = join(place.stateDir, 'flipped.gguf');
    await copyFile(modelFile('small'), path);
    const file = await open(path, 'r+');
    try {
      for (const at of [4, 8, 15, 16, 23, 24, 31, 40, 100, 400, 900]) {
        const original = Buffer.concat(head).subarray(at, at + 1);
        await file.write(Buffer.from([(original[0] ?? 0) ^ 0xff]), 0, 1, at);
        const result = await client.load(loadParams('small', { modelPath: path, contextSize: 512 }));
        assert.ok(result.ok || result.error.code.startsWith('model.'), `byte ${at}: ${code(result)}`);
        await file.write(original, 0, 1, at);
      }
    } finally {
      await file.close();
    }
    assert.equal(value(await client.status()).pid, pid);
  });
});
