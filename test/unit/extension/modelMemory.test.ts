import assert from 'node:assert/strict';
import { Emitter } from '../../../src/base/event.js';
import { makeError } from '../../../src/base/errors.js';
import { err, ok, type Result } from '../../../src/base/result.js';
import { ModelService, type ModelServiceDeps } from '../../../src/extension/models/modelService.js';
import type { LocalModel } from '../../../src/model/chatModel.js';
import type { Engine } from '../../../src/model/engine.js';
import type { LoadedModel, LoadParams, ModelRole, RoleState } from '../../../src/protocol/sidecar.js';
import { settings } from '../../../src/protocol/settings.js';

const signal = new AbortController().signal;

/** An engine with a sidecar that holds one chat model, or none. */
class OneModel {
  readonly roles = new Emitter<{ readonly role: ModelRole; readonly state: RoleState }>();
  readonly loads: LoadParams[] = [];
  loaded: LoadedModel | undefined;
  refuses = false;

  readonly engine = {
    onRoleState: this.roles.event,
    status: () => Promise.resolve(ok({ roles: { chat: this.loaded ? { state: 'ready', model: this.loaded } : { state: 'empty' } } })),
    load: (params: LoadParams): Promise<Result<LoadedModel>> => {
      this.loads.push(params);
      if (this.refuses) return Promise.resolve(err(makeError('model.outOfMemory', 'No memory.', 'Close something.')));
      this.become(Number(params.contextSize), params.contextSize === this.loaded?.contextSize ? this.loaded.reducedFrom : undefined);
      return Promise.resolve(ok(this.loaded as LoadedModel));
    },
  } as unknown as Engine;

  /** What the supervisor brings about after the sidecar was killed. */
  become(contextSize: number, reducedFrom?: number): void {
    this.loaded = {
      role: 'chat', path: '/m.gguf', name: 'M', architecture: 'qwen2', fileBytes: 1, trainContext: 32_768, contextSize,
      kvPreset: 'exact', kv: { keys: 'f16', values: 'f16', windowF16: true, f16Rows: 0 },
      kvBytesTotal: 1, gpuLayers: 0, fillInMiddle: false, loadMs: 1, ...(reducedFrom === undefined ? {} : { reducedFrom }),
    };
    this.roles.fire({ role: 'chat', state: { state: 'ready', model: this.loaded } });
  }
}

suite('model service after memory ran out (fault 8)', () => {
  let sidecar: OneModel;
  let service: ModelService;
  let minutes: number;
  let fits: number;
  setup(async () => {
    sidecar = new OneModel();
    [minutes, fits] = [0, 8192];
    const deps: ModelServiceDeps = {
      trust: { granted: true, onGranted: new Emitter<void>().event },
      clock: { now: () => minutes * 60_000, monotonic: () => minutes * 60_000 },
      settings: { get: (key) => settings[key].default as never },
      loadParams: (role, modelPath, contextSize) => ({ role, modelPath, contextSize, kvPreset: 'exact', threads: 'auto', gpu: 'auto' }),
      check: () => Promise.resolve(ok(null)),
      choose: () => Promise.resolve(ok({ path: '/m.gguf', name: 'M', contextSize: fits, reason: 'It fits.' })),
      engine: () => Promise.resolve(sidecar.engine),
      localModel: (_, { name, contextSize }) => ({ info: { name, kind: 'local', contextSize } }) as LocalModel,
      connect: () => Promise.reject(new Error('no endpoint here')),
    };
    service = new ModelService(deps);
    assert.equal((await context()), 8192);
    sidecar.become(4096, 8192);
  });
  teardown(() => service.dispose());

  async function context(): Promise<number> {
    const model = await service.acquire(signal);
    assert.ok(model.ok);
    return model.value.info.contextSize;
  }

  test('the next turn knows the smaller context, and the badge says why', async () => {
    assert.equal(service.contextSize, 4096);
    assert.match(service.badge.detail, /4,096 tokens · Memory ran out with 8,192 tokens; .*Restart Sidecar/);
    assert.deepEqual([await context(), sidecar.loads.length], [4096, 1], 'nothing is loaded again at once');
  });

  test('with memory free again the context that fits is back after a while', async () => {
    minutes = 6;
    assert.equal(await context(), 8192);
    assert.match(service.badge.detail, /8,192 tokens · It fits/);
  });

  test('with memory still short it stays small, and is asked for again only after another while', async () => {
    [minutes, fits] = [6, 4096];
    assert.equal(await context(), 4096);
    assert.match(service.badge.detail, /Memory ran out/);
    const { length } = sidecar.loads;
    minutes = 10;
    await context();
    assert.equal(sidecar.loads.length, length);
    [minutes, fits] = [12, 8192];
    assert.equal(await context(), 8192);
  });

  test('a larger context that turns out not to fit costs nothing', async () => {
    [minutes, sidecar.refuses] = [6, true];
    assert.equal(await context(), 4096);
    assert.equal(service.badge.state, 'ready');
    assert.equal(await context(), 4096);
    assert.equal(sidecar.loads.length, 2);
  });
});
