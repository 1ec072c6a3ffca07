import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Emitter } from '../../../src/base/event.js';
import { ok } from '../../../src/base/result.js';
import { ModelLibrary } from '../../../src/extension/models/modelLibrary.js';
import { type PickerGroup, pickerGroups } from '../../../src/extension/models/pickerGroups.js';
import { catalogue } from '../../../src/model/catalogue.js';
import type { Hardware } from '../../../src/model/hardware.js';
import type { InstalledModel } from '../../../src/model/installed.js';
import { cacheRoot } from '../../../src/model/paths.js';
import type { OtherAppModel } from '../../../src/model/otherApps.js';
import { settingDefaults, type SettingValues } from '../../../src/protocol/settings.js';

const gib = 1024 ** 3;
const machine: Hardware = { platform: 'linux', arch: 'x64', totalBytes: 16 * gib, availableBytes: 12 * gib, physicalCores: 4, gpus: [] };

function model(file: string, name: string, fileBytes = gib): InstalledModel {
  const kv = { global: { layers: 2, keyElements: 32, valueElements: 32, keyHead: 32, valueHead: 32 }, local: { layers: 0, keyElements: 0, valueElements: 0, keyHead: 0, valueHead: 0 }, window: 0 };
  return {
    path: path.resolve(file), fileBytes,
    shape: { architecture: 'qwen2', name, trainContext: 32_768, layers: 2, embedding: 64, vocabulary: 1000, kv, fillInMiddle: false, chatTemplate: 'x', license: undefined, parts: 1 },
  };
}

const huge: OtherAppModel = { app: 'Ollama', name: 'huge:latest', model: model('/home/ada/.ollama/models/blobs/sha256-1', 'Huge', 200 * gib) };
const small: OtherAppModel = { app: 'LM Studio', name: 'publisher/repo/small', model: model('/home/ada/.lmstudio/models/publisher/repo/small.gguf', 'Small') };

suite('models of other programs in the picker', () => {
  let directory = '';
  let settings: SettingValues;
  let trusted = true;
  let looked = 0;
  /** Folders in which the hashes of checked files were remembered; undefined: beside the file. */
  let records: (string | undefined)[] = [];
  setup(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'loupe-models-'));
    settings = { ...settingDefaults, 'loupe.model.directory': directory };
    trusted = true;
    looked = 0;
    records = [];
  });
  teardown(() => rm(directory, { recursive: true }));

  const library = (found: readonly OtherAppModel[]): ModelLibrary => new ModelLibrary({
    settings: { get: (key) => settings[key] }, hardware: () => Promise.resolve(machine), ownBytes: () => Promise.resolve(0), engine: () => Promise.resolve(undefined),
    verify: (_file, _sha256, _signal, _onProgress, folder) => {
      records.push(folder);
      return Promise.resolve(ok(null));
    },
    otherApps: () => {
      looked += 1;
      return Promise.resolve(found);
    },
    trust: { get granted() { return trusted; }, onGranted: new Emitter<void>().event },
  });
  const groupsOf = async (found: readonly OtherAppModel[]): Promise<readonly PickerGroup[]> => {
    const models = library(found);
    return pickerGroups(await models.offer(), await models.others(), settings['loupe.model.chat']);
  };
  const group = (groups: readonly PickerGroup[], label: string): PickerGroup['items'] => groups.find((g) => g.label === label)?.items ?? [];

  test('are a group of their own, named as the program names them, taken by path, what fits first', async () => {
    const groups = await groupsOf([huge, small, { ...small, name: 'publisher/repo/again' }]);
    const items = group(groups, 'Downloaded by other programs');
    assert.deepEqual(items.map(({ label, description }) => `${label}, ${description}`), ['Small, LM Studio: publisher/repo/small', 'Huge, Ollama: huge:latest']);
    assert.deepEqual(items[0]?.action, { kind: 'use', setting: small.model.path });
    assert.match(items[0]?.detail ?? '', /1\.1 GB, [\d,]+ tokens of context/);
    assert.match(items[1]?.detail ?? '', /does not fit this machine/);
    assert.deepEqual(group(groups, 'Installed'), []);
  });

  test('each preset of the KV cache says what context it would give, the one in use is checked', async () => {
    const offer = await library([]).offer();
    assert.deepEqual(offer.presets, [], 'nothing to say without a local model');
    const items = group(pickerGroups({ ...offer, presets: [{ preset: 'exact', contextSize: 4096, current: false }, { preset: 'balanced', contextSize: 14_000, current: true }] }, [], 'auto'),
      'How the conversation is kept in memory (KV cache)');
    assert.deepEqual(items.map(({ icon, label, description }) => `${icon} ${label}: ${description}`), ['archive exact: 4,096 tokens of context', 'check balanced: 14,000 tokens of context']);
    assert.deepEqual(items[1]?.action, { kind: 'usePreset', preset: 'balanced' });
  });

  test('there is no group where there is nothing', async () => {
    assert.ok(!(await groupsOf([])).some(({ label }) => label === 'Downloaded by other programs'));
  });

  test('the one in use is checked, and shown once', async () => {
    settings = { ...settings, 'loupe.model.chat': small.model.path };
    const models = library([small]);
    const offer = { ...(await models.offer()), installed: { models: [small.model], broken: [] } };
    const groups = pickerGroups(offer, await models.others(), small.model.path);
    assert.equal(group(groups, 'Downloaded by other programs')[0]?.icon, 'check');
    assert.deepEqual(group(groups, 'Installed'), []);
  });

  test('none is chosen by itself: where nothing is installed, both the picker and the empty state say that it could be', async () => {
    const groups = await groupsOf([huge, small]);
    assert.match(groups[0]?.items[0]?.detail ?? '', /can be used/);
    const chosen = await library([huge, small]).chooseChat();
    assert.ok(!chosen.ok && chosen.error.code === 'model.none');
    assert.match(chosen.error.next, /^LM Studio has publisher\/repo\/small on this machine already\. Use that, or download Gemma 4 .* GB\), with "Loupe: Choose Model"\.$/);
    const useless = await library([huge]).chooseChat();
    assert.match(useless.ok ? '' : useless.error.next, /^Download/, 'one that does not fit is no help');
  });

  test('are not looked for in an untrusted workspace', async () => {
    trusted = false;
    assert.deepEqual(await library([small]).others(), []);
    assert.equal(looked, 0);
  });

  test('the hash of a file in the folder of another program is not remembered beside it', async () => {
    const { signal } = new AbortController();
    for (const file of [small.model.path, path.join(directory, 'own.gguf')]) await library([]).checkFile({ path: file, sha256: 'h' }, () => undefined, signal);
    assert.deepEqual(records, [path.join(cacheRoot(), 'checked'), undefined]);
    await library([]).checkFile({ path: '/unknown.gguf' }, () => undefined, signal);
    assert.equal(records.length, 2, 'what the catalogue does not know has nothing to be compared with');
  });

  test('a catalogue model in another folder is taken by its path, one in the models folder by its id', async () => {
    const entry = catalogue.find(({ id }) => id === 'qwen2.5-coder-0.5b');
    assert.ok(entry);
    const offer = await library([]).offer();
    const settingOf = (folder: string): unknown => {
      const installed = { models: [{ ...model(path.join(folder, entry.file), 'Qwen'), entry }], broken: [] };
      return group(pickerGroups({ ...offer, installed }, [], 'auto'), 'Installed')[0]?.action;
    };
    assert.deepEqual(settingOf(directory), { kind: 'use', setting: entry.id });
    assert.deepEqual(settingOf('/elsewhere'), { kind: 'use', setting: path.resolve('/elsewhere', entry.file) });
  });
});
