import assert from 'node:assert/strict';
import { makeError } from '../../../src/base/errors.js';
import { silentLogger } from '../../../src/base/logger.js';
import { err, ok } from '../../../src/base/result.js';
import { CompletionModel } from '../../../src/languageServer/completionModel.js';
import { configuration } from '../../support/languageServer/editor.js';
import { coder, ScriptedEngine } from './scriptedEngine.js';

suite('inline: the completion model', () => {
  let nowMs = 0;
  let engine: ScriptedEngine;
  let model: CompletionModel;
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  setup(() => {
    nowMs = 1000;
    engine = new ScriptedEngine();
    model = new CompletionModel(engine, { now: () => nowMs, monotonic: () => nowMs }, silentLogger);
    model.configure(configuration.model);
  });
  teardown(() => model.dispose());

  test('is tried again after the sidecar died while it loaded', async () => {
    engine.loadMs = 20;
    engine.loaded = err(makeError('sidecar.crashed', 'The sidecar ended.', 'It starts again.'));
    model.prepare();
    engine.roleChanged({ state: 'loading', path: coder.path, fraction: 0.5 });
    await pause(40);
    engine.loaded = ok(coder);
    model.prepare();
    assert.equal(engine.loads.length, 1, 'not with the next keystroke');
    nowMs += 2_000;
    model.prepare();
    await pause(40);
    assert.equal(engine.loads.length, 2);
    assert.equal(model.ready?.loaded, coder);
  });

  test('is not tried again so soon when the file is to blame', async () => {
    engine.loaded = err(makeError('model.loadFailed', 'It cannot be loaded.', 'Choose another.'));
    model.prepare();
    await pause(20);
    engine.loaded = ok(coder);
    for (const [afterMs, loads] of [[2_000, 1], [27_000, 1], [2_000, 2]] as const) {
      nowMs += afterMs;
      model.prepare();
      await pause(20);
      assert.equal(engine.loads.length, loads);
    }
  });

  test('is waited for while another window loads it, and loaded when that load falls silent', async () => {
    engine.roleChanged({ state: 'loading', path: coder.path, fraction: 0.2 });
    nowMs += 20_000;
    engine.roleChanged({ state: 'loading', path: coder.path, fraction: 0.6 });
    nowMs += 20_000;
    model.prepare();
    assert.equal(engine.loads.length, 0);
    nowMs += 20_000;
    model.prepare();
    await pause(20);
    assert.equal(engine.loads.length, 1);
    assert.equal(model.ready?.loaded, coder);
  });
});
