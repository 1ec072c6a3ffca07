import { strict as assert } from 'node:assert';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { otherAppModels } from '../../../src/model/otherApps.js';
import { ggufFile, qwenLike } from '../../support/model/ggufBuilder.js';

suite('Models of other programs', () => {
  let home = '';
  setup(async () => { home = await mkdtemp(path.join(tmpdir(), 'loupe-home-')); });
  teardown(() => rm(home, { recursive: true }));

  const put = async (file: string, content: string | Buffer): Promise<void> => {
    const target = path.join(home, file);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, content);
  };
  const digest = `sha256:${'ab'.repeat(32)}`;
  const manifest = (d: string): string => JSON.stringify({ layers: [
    { mediaType: 'application/vnd.ollama.image.license', digest: `sha256:${'00'.repeat(32)}` }, { mediaType: 'application/vnd.ollama.image.model', digest: d },
  ] });
  const list = async (env = {}): Promise<string[]> => (await otherAppModels(home, env)).map((m) => `${m.app} ${m.name}`);

  test('Ollama: weights by the hash in the manifest, named as Ollama names them', async () => {
    await put(`.ollama/models/blobs/${digest.replace(':', '-')}`, qwenLike(10));
    await put('.ollama/models/manifests/registry.ollama.ai/library/tiny/latest', manifest(digest));
    await put('.ollama/models/manifests/registry.ollama.ai/someone/tiny/q4', manifest(digest));
    await put('.ollama/models/manifests/hf.co/owner/repo/Q4_0', manifest(digest));
    assert.deepEqual(await list(), ['Ollama hf.co/owner/repo:Q4_0', 'Ollama tiny:latest', 'Ollama someone/tiny:q4']);
    assert.deepEqual(await list({ OLLAMA_MODELS: path.join(home, 'elsewhere') }), []);
  });

  test('a manifest that is damaged or points outside its folder is left out', async () => {
    await put('secret.gguf', qwenLike(10));
    await put('.ollama/models/manifests/registry.ollama.ai/library/evil/latest', manifest('sha256:../../../secret.gguf'));
    await put('.ollama/models/manifests/registry.ollama.ai/library/broken/latest', '{');
    await put('.ollama/models/manifests/registry.ollama.ai/library/gone/latest', manifest(digest));
    await put('.ollama/models/manifests/registry.ollama.ai/library/large/latest', ' '.repeat(300_000));
    assert.deepEqual(await list(), []);
  });

  test('LM Studio: files by publisher and repository, the first of a split model only', async () => {
    await put('.lmstudio/models/publisher/repo/model.gguf', qwenLike(10));
    await put('.lmstudio/models/publisher/repo/broken.gguf', 'x');
    await put('.lmstudio/models/publisher/repo/split-00002-of-00002.gguf', qwenLike(10));
    await put('.cache/lm-studio/models/publisher/old/model.GGUF', qwenLike(10));
    await put('.lmstudio/models/publisher/repo/deeper/below/hidden.gguf', qwenLike(10));
    assert.deepEqual(await list(), ['LM Studio publisher/repo/model', 'LM Studio publisher/old/model']);
  });

  test('models that only embed text are left out', async () => {
    await put('.lmstudio/models/publisher/repo/embed.gguf', ggufFile([
      ['general.architecture', 'nomic-bert'], ['nomic-bert.block_count', 2], ['nomic-bert.embedding_length', 64],
      ['nomic-bert.context_length', 512], ['nomic-bert.attention.head_count', 4],
    ], [{ name: 'token_embd.weight', dimensions: [64, 10], type: 0, bytes: 64 * 10 * 4 }]));
    assert.deepEqual(await list(), []);
  });

  test('a home without either program', async () => {
    assert.deepEqual(await list(), []);
  });
});
