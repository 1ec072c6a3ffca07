import assert from 'node:assert/strict';
import { makeError } from '../../../src/base/errors.js';
import { Emitter } from '../../../src/base/event.js';
import { err, ok, type Result } from '../../../src/base/result.js';
import { type ChosenModel, ModelService } from '../../../src/extension/models/modelService.js';
import type { ChatModel, LocalModel } from '../../../src/model/chatModel.js';
import type { Engine } from '../../../src/model/engine.js';
import { settingDefaults } from '../../../src/protocol/settings.js';
import type { LoadedModel, LoadParams } from '../../../src/protocol/sidecar.js';

const chosen: ChosenModel = { path: '/m.gguf', name: 'Tiny', contextSize: 4096, reason: 'It fits.', sha256: 'h' };
const params: LoadParams = { role: 'chat', modelPath: '/m.gguf', contextSize: 4096, kvPreset: 'exact', threads: 'auto', gpu: 'auto' };
const cancelled = err(makeError('cancelled', 'Cancelled.', ''));

/** A service whose check and load are in the test's hands. */
class Fixture {
  readonly shown: string[] = [];
  trusted = true;
  checks = 0;
  progress: (fraction: number) => void = () => undefined;
  checked: (result: Result<null>) => void = () => undefined;
  loading: AbortSignal | undefined;
  readonly service: ModelService;

  constructor() {
    const trusted = (): boolean => this.trusted;
    const engine = {
      onRoleState: new Emitter<never>().event,
      status: () => Promise.resolve(err(makeError('sidecar.unavailable', '', ''))),
      load: (_: LoadParams, signal?: AbortSignal) => new Promise<Result<LoadedModel>>((resolve) => {
        this.loading = signal;
        signal?.addEventListener('abort', () => resolve(cancelled));
      }),
    } as unknown as Engine;
    this.service = new ModelService({
      trust: { get granted() { return trusted(); }, onGranted: new Emitter<void>().event },
      clock: { now: () => 0, monotonic: () => 0 },
      settings: { get: (key) => settingDefaults[key] },
      loadParams: () => params,
      choose: () => Promise.resolve(ok(chosen)),
      check: (_, onProgress, signal) => new Promise((resolve) => {
        this.checks += 1;
        this.progress = onProgress;
        this.checked = resolve;
        signal.addEventListener('abort', () => resolve(cancelled));
      }),
      engine: () => Promise.resolve(engine),
      localModel: () => ({}) as LocalModel,
      connect: () => Promise.reject(new Error('not asked for')),
    });
    this.service.onDidChange(() => {
      const { state, label, fraction } = this.service.badge;
      this.shown.push([state, label, fraction].filter((part) => part !== undefined).join(' '));
    });
  }

  acquire(): Promise<Result<ChatModel>> {
    return this.service.acquire(new AbortController().signal);
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const codeOf = (result: Result<unknown>): string => (result.ok ? 'ok' : result.error.code);

suite('the model of a window', () => {
  test('a check of the file is shown with how far it is, then the load', async () => {
    const fixture = new Fixture();
    assert.equal(fixture.service.badge.state, 'idle');
    void fixture.acquire();
    assert.equal(fixture.service.badge.state, 'loading');
    await turn();
    fixture.progress(0.1);
    fixture.progress(0.4);
    fixture.checked(ok(null));
    await turn();
    assert.deepEqual(fixture.shown, ['loading Tiny 0', 'checking Tiny 0.1', 'checking Tiny 0.4', 'loading Tiny 0']);
    assert.match(fixture.service.badge.detail, /Loading/);
  });

  test('a damaged file is never loaded', async () => {
    const fixture = new Fixture();
    const waiting = fixture.acquire();
    await turn();
    fixture.checked(err(makeError('model.hashMismatch', 'm.gguf is damaged.', 'Download it again.')));
    assert.equal(codeOf(await waiting), 'model.hashMismatch');
    assert.deepEqual([fixture.service.badge.state, fixture.loading], ['failed', undefined]);
  });

  for (const step of ['check', 'load'] as const) {
    test(`cancel ends the ${step}, fails nothing, and the next question begins again`, async () => {
      const fixture = new Fixture();
      const waiting = fixture.acquire();
      await turn();
      fixture.progress(0.2);
      if (step === 'load') {
        fixture.checked(ok(null));
        await turn();
        assert.ok(fixture.loading);
      }
      fixture.service.cancel();
      assert.equal(codeOf(await waiting), 'cancelled');
      assert.deepEqual([fixture.service.badge.state, fixture.service.badge.label], ['idle', 'Tiny']);
      assert.equal(fixture.shown.at(-1), 'idle Tiny');
      void fixture.acquire();
      await turn();
      assert.equal(fixture.checks, 2);
    });
  }

  test('one who stops waiting does not end the check for the others', async () => {
    const fixture = new Fixture();
    const leaving = new AbortController();
    const first = fixture.service.acquire(leaving.signal);
    void fixture.acquire();
    await turn();
    fixture.progress(0.5);
    leaving.abort();
    assert.equal(codeOf(await first), 'cancelled');
    assert.equal(fixture.service.badge.state, 'checking');
  });

  test('another choice ends the check of the former one, whose progress is not shown any more', async () => {
    const fixture = new Fixture();
    const waiting = fixture.acquire();
    await turn();
    const late = fixture.progress;
    late(0.5);
    fixture.service.reset();
    assert.equal(codeOf(await waiting), 'cancelled');
    late(0.6);
    assert.equal(fixture.service.badge.state, 'idle');
  });

  test('nothing is looked at in an untrusted workspace', async () => {
    const fixture = new Fixture();
    fixture.trusted = false;
    assert.equal(codeOf(await fixture.acquire()), 'workspace.untrusted');
    assert.deepEqual([fixture.checks, fixture.service.badge.state], [0, 'untrusted']);
  });
});
