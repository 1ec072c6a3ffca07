import assert from 'node:assert/strict';
import { makeError } from '../../../src/base/errors.js';
import { Emitter } from '../../../src/base/event.js';
import { silentLogger } from '../../../src/base/logger.js';
import { err, ok, type Result } from '../../../src/base/result.js';
import { InlineController } from '../../../src/extension/inline/inlineController.js';
import type { InlineConfiguration, InlineStatus } from '../../../src/protocol/inline.js';
import { settingDefaults, type SettingKey, type SettingValues } from '../../../src/protocol/settings.js';
import type { LoadParams } from '../../../src/protocol/sidecar.js';

const model: LoadParams = { role: 'completion', modelPath: '/m.gguf', contextSize: 4096, kvPreset: 'exact', threads: 'auto', gpu: 'auto' };

/** The memory of the repository wants the server, too. */
const withMemory: SettingValues = { ...settingDefaults, 'loupe.memory.enabled': true };
const withoutMemory: SettingValues = { ...settingDefaults, 'loupe.memory.enabled': false };
const forIndex: InlineConfiguration = { languages: settingDefaults['loupe.inline.languages'], maxTokens: 96, model: null };

class Window {
  readonly calls: (InlineConfiguration | 'stop')[] = [];
  readonly statuses: InlineStatus[] = [];
  readonly trustGranted = new Emitter<void>();
  readonly settingsChanged = new Emitter<ReadonlySet<SettingKey>>();
  readonly modelsChanged = new Emitter<void>();
  values: SettingValues = withMemory;
  trusted = true;
  model: Result<LoadParams> = ok(model);
  /** Set: a file is checked until it is called, or until nobody wants it any more. */
  check: ((report: (fraction: number) => void, signal: AbortSignal) => Promise<void>) | undefined;
  startError: Error | undefined;
  readonly controller: InlineController;

  constructor() {
    const trusted = (): boolean => this.trusted;
    this.controller = new InlineController({
      trust: { get granted() { return trusted(); }, onGranted: this.trustGranted.event },
      settings: { get: (key) => this.values[key], onDidChange: this.settingsChanged.event },
      completionModel: async (onCheck, signal) => {
        await this.check?.(onCheck, signal);
        return this.model;
      },
      onDidChangeModels: this.modelsChanged.event,
      server: {
        run: (configuration) => {
          this.calls.push(configuration);
          return this.startError === undefined ? Promise.resolve() : Promise.reject(this.startError);
        },
        stop: () => Promise.resolve(void this.calls.push('stop')),
      },
      logger: silentLogger,
      onStatus: (status) => this.statuses.push(status),
    });
  }

  async refreshed(): Promise<void> {
    this.controller.refresh();
    await this.controller.settled();
  }

  get started(): number {
    return this.calls.filter((call) => call !== 'stop').length;
  }
}

suite('inline: when the language server runs', () => {
  test('with a model, in a trusted workspace', async () => {
    const window = new Window();
    await window.refreshed();
    assert.deepEqual(window.calls, [{ languages: settingDefaults['loupe.inline.languages'], maxTokens: 96, model }]);
  });

  test('not before the workspace is trusted', async () => {
    const window = new Window();
    window.trusted = false;
    await window.refreshed();
    assert.equal(window.started, 0);
    assert.deepEqual(window.statuses, [{ state: 'untrusted' }]);
    window.trusted = true;
    window.trustGranted.fire();
    await window.controller.settled();
    assert.equal(window.started, 1);
  });

  test('not while suggestions are off', async () => {
    const window = new Window();
    window.values = { ...withoutMemory, 'loupe.inline.enabled': false };
    await window.refreshed();
    assert.equal(window.started, 0);
    assert.deepEqual(window.statuses, [{ state: 'off' }]);
    window.values = withoutMemory;
    window.settingsChanged.fire(new Set(['loupe.inline.enabled']));
    await window.controller.settled();
    assert.equal(window.started, 1);
  });

  test('for a question to the index it starts without suggestions and without the memory, once, and stays', async () => {
    const window = new Window();
    window.values = { ...withoutMemory, 'loupe.inline.enabled': false };
    await window.refreshed();
    await Promise.all([window.controller.needIndex(), window.controller.needIndex()]);
    assert.deepEqual(window.calls.filter((call) => call !== 'stop'), [forIndex]);
    window.settingsChanged.fire(new Set(['loupe.memory.enabled']));
    await window.controller.settled();
    assert.notEqual(window.calls.at(-1), 'stop');
    const untrusted = new Window();
    untrusted.values = withoutMemory;
    untrusted.trusted = false;
    await untrusted.controller.needIndex();
    assert.equal(untrusted.started, 0);
  });

  test('a question to the index does not wait until a file is checked', async () => {
    const window = new Window();
    window.values = withoutMemory;
    let checked: () => void = () => undefined;
    window.check = (report) => new Promise((resolve) => {
      checked = resolve;
      report(0.5);
    });
    await window.controller.needIndex();
    assert.deepEqual(window.calls, [forIndex]);
    checked();
    await window.controller.settled();
    assert.equal(window.started, 2);
  });

  test('not without a model; the error says what to do', async () => {
    const window = new Window();
    window.values = withoutMemory;
    window.model = err(makeError('model.none', 'No model is installed.', 'Choose one.'));
    await window.refreshed();
    assert.equal(window.started, 0);
    assert.deepEqual(window.statuses.map((status) => status.state === 'unavailable' && status.error.code), ['model.none']);
    window.model = ok(model);
    window.modelsChanged.fire();
    await window.controller.settled();
    assert.equal(window.started, 1);
  });

  test('a file that is checked first is shown with how far it is, and switching off ends the check', async () => {
    const window = new Window();
    window.values = withoutMemory;
    let checking = (): void => undefined;
    const began = new Promise<void>((resolve) => (checking = resolve));
    window.check = (report, signal) => new Promise((resolve) => {
      report(0.4);
      checking();
      signal.addEventListener('abort', () => {
        report(0.5);
        resolve();
      });
    });
    window.controller.refresh();
    await began;
    assert.deepEqual(window.statuses, [{ state: 'checking', fraction: 0.4 }]);
    window.values = { ...withoutMemory, 'loupe.inline.enabled': false };
    window.settingsChanged.fire(new Set(['loupe.inline.enabled']));
    await window.controller.settled();
    assert.deepEqual(window.statuses.slice(1), [{ state: 'off' }]);
    assert.equal(window.started, 0);
  });

  test('for the memory without suggestions, and without a model; what is said of suggestions stays', async () => {
    const window = new Window();
    window.values = { ...withMemory, 'loupe.inline.enabled': false };
    await window.refreshed();
    window.values = withMemory;
    window.model = err(makeError('model.none', 'No model is installed.', 'Choose one.'));
    await window.refreshed();
    assert.deepEqual(window.calls, [forIndex, forIndex]);
    assert.deepEqual(window.statuses.map(({ state }) => state), ['off', 'unavailable']);
    window.values = { ...withoutMemory, 'loupe.inline.enabled': false };
    window.settingsChanged.fire(new Set(['loupe.memory.enabled']));
    await window.controller.settled();
    assert.deepEqual(window.calls.slice(2), ['stop']);
  });

  test('the index does not wait for the check of a file; never in a workspace that is not trusted', async () => {
    const window = new Window();
    window.check = async (report) => {
      report(0.4);
      report(0.5);
      await new Promise((resolve) => setImmediate(resolve));
    };
    await window.refreshed();
    assert.deepEqual(window.calls, [forIndex, { ...forIndex, model }]);
    await window.refreshed();
    assert.deepEqual(window.calls.slice(2), [{ ...forIndex, model }], 'a server that has a model keeps it during a check');
    const stranger = new Window();
    stranger.trusted = false;
    await stranger.refreshed();
    assert.equal(stranger.started, 0);
  });

  test('settings of other parts change nothing', async () => {
    const window = new Window();
    await window.refreshed();
    window.settingsChanged.fire(new Set(['loupe.trace.keepTurns', 'loupe.agent.maxSteps']));
    await window.controller.settled();
    assert.equal(window.started, 1);
  });

  test('a start that fails is said', async () => {
    const window = new Window();
    window.startError = new Error('no such file');
    await window.refreshed();
    assert.deepEqual(window.statuses.map((status) => status.state === 'unavailable' && status.error.cause?.includes('no such file')), [true]);
  });

  test('disposed: stopped, and nothing starts it again', async () => {
    const window = new Window();
    await window.refreshed();
    window.controller.dispose();
    window.modelsChanged.fire();
    await window.refreshed();
    assert.deepEqual(window.calls.slice(1), ['stop']);
  });
});
