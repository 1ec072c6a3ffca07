import { strict as assert } from 'node:assert';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { catalogue } from '../../../src/model/catalogue.js';
import { type ModelSettings, chooseModels, explicitFiles, recommended } from '../../../src/model/choose.js';
import type { Hardware } from '../../../src/model/hardware.js';
import type { Installed, InstalledModel } from '../../../src/model/installed.js';
import { makeError } from '../../../src/base/errors.js';
import { settingDefaults } from '../../../src/protocol/settings.js';

const gib = 1024 ** 3;
const machine = (gibibytes: number, more: Partial<Hardware> = {}): Hardware => ({
  platform: 'linux', arch: 'x64', totalBytes: gibibytes * gib, availableBytes: (gibibytes - 1) * gib, physicalCores: 4, gpus: [], ...more,
});
const apple = (gibibytes: number): Hardware => machine(gibibytes, { platform: 'darwin', arch: 'arm64', gpus: [{ vendor: 'apple', unified: true }] });

function installed(...ids: readonly string[]): InstalledModel[] {
  return ids.map((id) => {
    const entry = catalogue.find((e) => e.id === id);
    assert.ok(entry, id);
    return {
      path: path.join('/models', entry.file), fileBytes: entry.sizeBytes, entry,
      shape: {
        architecture: 'x', name: entry.name, trainContext: entry.trainContext, layers: 1, embedding: entry.embedding, vocabulary: entry.vocabulary,
        kv: entry.kv, fillInMiddle: id.startsWith('qwen'), chatTemplate: undefined, license: undefined, parts: 1,
      },
    };
  });
}
function stranger(name: string, bytes: number, more: Partial<InstalledModel['shape']> = {}): InstalledModel {
  const [base] = installed('qwen2.5-coder-1.5b');
  assert.ok(base);
  return { path: path.resolve('/models', name), fileBytes: bytes, shape: { ...base.shape, name, fillInMiddle: false, chatTemplate: 'x', ...more } };
}
const choose = (models: readonly InstalledModel[], hardware: Hardware, settings: Partial<ModelSettings> = {}, broken: Installed['broken'] = []): ReturnType<typeof chooseModels> =>
  chooseModels({ settings: { ...settingDefaults, ...settings }, installed: { models, broken }, hardware });

suite('Model choice', () => {
  test('nothing installed: one problem for each role, naming what to download for this machine', () => {
    const small = choose([], machine(8));
    assert.deepEqual([small.chatProblem?.code, small.completionProblem?.code], ['model.none', 'model.none']);
    assert.match(small.chatProblem?.next ?? '', /Gemma 4 E2B|Gemma 4 E4B/);
    assert.match(small.completionProblem?.next ?? '', /Qwen2.5-Coder 0.5B/);
    assert.equal(choose([], machine(8)).chat, undefined);
  });

  test('one file serves both roles', () => {
    const choice = choose(installed('qwen2.5-coder-1.5b'), machine(8));
    assert.equal(choice.chat?.entry?.id, 'qwen2.5-coder-1.5b');
    assert.equal(choice.completion?.path, choice.chat?.path);
    assert.equal(choice.chat?.contextSize, 32_768);
    assert.equal(choice.completion?.contextSize, 4096);
    assert.deepEqual([choice.chatProblem, choice.completionProblem], [undefined, undefined]);
    assert.match(choice.chat?.reason ?? '', /1\.1 GB of weights.*fit/);
  });

  test('the best that fits and is quick enough; why the better one was passed over is said', () => {
    const all = installed('gemma-4-31b', 'gemma-4-26b-a4b', 'gemma-4-e2b', 'qwen2.5-coder-0.5b', 'qwen2.5-coder-1.5b');
    const cpu = choose(all, machine(64));
    assert.equal(cpu.chat?.entry?.id, 'gemma-4-26b-a4b');
    assert.match(cpu.chat?.reason ?? '', /Gemma 4 31B is installed too, but would be slow without a graphics processor/);
    assert.equal(choose(all, apple(64)).chat?.entry?.id, 'gemma-4-31b');
    assert.equal(choose(all, { ...apple(64) }, { 'loupe.model.gpu': 'off' }).chat?.entry?.id, 'gemma-4-26b-a4b');
    const small = choose(all, machine(8));
    assert.equal(small.chat?.entry?.id, 'gemma-4-e2b');
    assert.match(small.chat?.reason ?? '', /26B-A4B is installed too, but does not fit into memory/);
  });

  test('a slow model is better than none', () => {
    assert.equal(choose(installed('gemma-4-31b'), machine(64)).chat?.entry?.id, 'gemma-4-31b');
  });

  test('suggestions: the smaller model on few cores, the better one on many or with a graphics processor', () => {
    const both = installed('qwen2.5-coder-0.5b', 'qwen2.5-coder-1.5b');
    assert.equal(choose(both, machine(16)).completion?.entry?.id, 'qwen2.5-coder-0.5b');
    assert.equal(choose(both, machine(16, { physicalCores: 12 })).completion?.entry?.id, 'qwen2.5-coder-1.5b');
    assert.equal(choose(both, apple(16)).completion?.entry?.id, 'qwen2.5-coder-1.5b');
  });

  test('base models and models without a chat template are never chosen for chat', () => {
    assert.equal(choose(installed('gemma-3-270m'), machine(16)).chat, undefined);
    assert.equal(choose([stranger('base', 1e9, { chatTemplate: undefined })], machine(16)).chat, undefined);
    assert.equal(choose([stranger('tuned', 1e9)], machine(16)).chat?.name, 'tuned');
    assert.equal(choose([stranger('tuned', 5e9), ...installed('qwen2.5-coder-1.5b')], machine(16)).chat?.entry?.id, 'qwen2.5-coder-1.5b');
  });

  test('too little memory for both: the chat model wins, and the loss is said', () => {
    const tight = choose(installed('gemma-4-e2b', 'qwen2.5-coder-0.5b'), machine(8, { availableBytes: 4.6 * gib }), { 'loupe.model.chat': 'gemma-4-e2b' });
    assert.equal(tight.chat?.entry?.id, 'gemma-4-e2b');
    assert.equal(tight.completion, undefined);
    assert.match(tight.completionProblem?.message ?? '', /no memory for Qwen2.5-Coder 0.5B/);
  });

  test('a context that the user sets is kept when it fits and lowered with a reason when it does not', () => {
    assert.equal(choose(installed('qwen2.5-coder-1.5b'), machine(16), { 'loupe.model.contextSize': 8192 }).chat?.contextSize, 8192);
    const low = choose(installed('gemma-4-31b'), machine(32), { 'loupe.model.contextSize': 262_144 }).chat;
    assert.ok(low && low.contextSize < 262_144 && low.contextSize >= 4096);
    assert.match(low.reason, /could use 262,144 tokens/);
  });

  test('a file by its path, with the error of the file when it is broken', () => {
    const file = path.resolve('/models/own.gguf');
    assert.deepEqual(explicitFiles({ 'loupe.model.chat': file, 'loupe.model.completion': 'auto' }), [file]);
    assert.equal(choose([stranger('own.gguf', 1e9)], machine(16), { 'loupe.model.chat': file }).chat?.path, file);
    const cut = makeError('model.truncated', 'own.gguf is incomplete.', 'Download it again.');
    const broken = choose([], machine(16), { 'loupe.model.chat': file }, [{ path: file, error: cut }]);
    assert.equal(broken.chatProblem, cut);
    assert.equal(choose([], machine(16), { 'loupe.model.chat': file }).chatProblem?.code, 'model.notFound');
  });

  test('an id that is not downloaded, and one that does not exist, are told apart', () => {
    assert.match(choose([], machine(16), { 'loupe.model.chat': 'gemma-4-e2b' }).chatProblem?.message ?? '', /not downloaded yet \(2\.8 GB\)/);
    assert.match(choose([], machine(16), { 'loupe.model.chat': 'gpt-9' }).chatProblem?.message ?? '', /neither a model of the catalogue nor/);
    assert.equal(choose(installed('gemma-4-e2b'), machine(16), { 'loupe.model.completion': 'gemma-4-e2b' }).completionProblem?.code, 'model.noFillInMiddle');
  });

  test('the endpoint setting needs an address', () => {
    const wanting = choose([], machine(16), { 'loupe.model.chat': 'endpoint' });
    assert.equal(wanting.chatProblem?.code, 'endpoint.unreachable');
    const set = choose([], machine(16), { 'loupe.model.chat': 'endpoint', 'loupe.endpoint.url': 'http://127.0.0.1:8080/v1' });
    assert.deepEqual(set.endpoint, { url: 'http://127.0.0.1:8080/v1', model: '' });
    assert.equal(set.chat, undefined);
  });

  test('recommendations can be downloaded, fit, and begin with the best', () => {
    const list = recommended(machine(24), 'chat', settingDefaults);
    assert.equal(list[0]?.entry.id, 'gemma-4-26b-a4b');
    assert.ok(list.every((r) => r.entry.url && r.fit.fits));
    assert.deepEqual(recommended(machine(2), 'chat', settingDefaults).map((r) => r.entry.id), []);
  });
});

suite('Catalogue', () => {
  test('ids and files are unique, addresses are https, hashes are sha256', () => {
    assert.equal(new Set(catalogue.map((e) => e.id)).size, catalogue.length);
    assert.equal(new Set(catalogue.map((e) => e.file)).size, catalogue.length);
    for (const entry of catalogue) {
      if (entry.url) assert.ok(entry.url.startsWith('https://') && entry.url.endsWith(`/${entry.file}`), entry.url);
      if (entry.sha256 !== null) assert.match(entry.sha256, /^[0-9a-f]{64}$/);
    }
  });

  test('the test models of the scripts are the same files', async () => {
    const script = await readFile(path.join('scripts', 'lib', 'testModels.mjs'), 'utf8');
    for (const entry of catalogue.filter((e) => script.includes(e.file))) assert.ok(script.includes(entry.sha256 ?? '-'), entry.id);
    assert.ok(catalogue.some((e) => script.includes(e.file)));
  });
});
