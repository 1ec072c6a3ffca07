import { strict as assert } from 'node:assert';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { displayName, installedModels } from '../../../src/model/installed.js';
import { type Entry, ggufFile, qwenLike } from '../../support/model/ggufBuilder.js';

const tensor = [{ name: 'w', dimensions: [8], type: 0, bytes: 32 }];
const small = (...more: readonly Entry[]): Buffer => ggufFile([
  ['general.architecture', 'llama'], ['llama.block_count', 1], ['llama.context_length', 512], ['llama.embedding_length', 8], ['llama.attention.head_count', 1], ...more,
], tensor);

suite('Installed models', () => {
  let folder = '';
  setup(async () => { folder = await mkdtemp(join(tmpdir(), 'loupe-installed-')); });
  teardown(() => rm(folder, { recursive: true }));

  test('lists sound models, says what is wrong with the others, leaves out what is no model', async () => {
    await writeFile(join(folder, 'a.gguf'), qwenLike());
    await writeFile(join(folder, 'cut.gguf'), qwenLike().subarray(0, 400));
    await writeFile(join(folder, 'page.gguf'), '<html></html>');
    await writeFile(join(folder, 'projector.gguf'), ggufFile([['general.architecture', 'clip'], ['general.type', 'mmproj']], tensor));
    await writeFile(join(folder, 'running.gguf.part'), 'x');
    await writeFile(join(folder, 'notes.txt'), 'x');
    await mkdir(join(folder, 'folder.gguf'));
    const { models, broken } = await installedModels(folder);
    assert.deepEqual(models.map((m) => [displayName(m), m.shape.fillInMiddle]), [['Tiny Coder', true]]);
    assert.deepEqual(broken.map((b) => b.error.code), ['model.truncated', 'model.notGguf', 'model.notGguf']);
  });

  test('a file outside the folder is found by its path, once', async () => {
    const file = join(folder, 'a.gguf');
    await writeFile(file, qwenLike());
    assert.equal((await installedModels(join(folder, 'absent'), [file])).models.length, 1);
    assert.equal((await installedModels(folder, [file])).models.length, 1);
    assert.deepEqual((await installedModels(folder, [join(folder, 'b.gguf')])).broken.map((b) => b.error.code), ['model.notFound']);
  });

  test('a split model counts with all its parts, and not at all without one of them', async () => {
    const first = small(['split.count', 2]);
    await writeFile(join(folder, 'm-00001-of-00002.gguf'), first);
    assert.deepEqual((await installedModels(folder)).broken.map((b) => b.error.code), ['model.truncated']);
    await writeFile(join(folder, 'm-00002-of-00002.gguf'), Buffer.alloc(1000));
    const { models, broken } = await installedModels(folder);
    assert.deepEqual([models.map((m) => m.fileBytes), broken], [[first.length + 1000], []]);
  });

  test('a name from the file cannot draw over the user interface', async () => {
    await writeFile(join(folder, 'a.gguf'), small(['general.name', 'Nice\u202e\u001b[2J\nModel']));
    const [model] = (await installedModels(folder)).models;
    assert.ok(model);
    assert.equal(displayName(model), 'Nice  [2J Model');
  });
});
