import { strict as assert } from 'node:assert';
import { readdirSync } from 'node:fs';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { loupeBuild } from '../../../src/sidecar/engine/binding.js';
import { generate, loadParams, plain, request, value, waitUntil, Workplace } from '../../support/sidecar/harness.js';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const script = async <T>(...file: string[]): Promise<T> => await import(pathToFileURL(join(root, 'scripts', ...file)).href) as T;
interface Build { readonly loupeBuild: Readonly<Record<string, string>>; bindingFolderName(): Promise<string> }

/** Loupe's own binding is built for Linux so far; elsewhere the published one is what is expected. */
const ownExpected = process.platform === 'linux';

/** Real processes and the real bindings, with SmolLM2 135M. */
suite('Which binding is loaded', () => {
  let place: Workplace;
  setup(async () => { place = await Workplace.make(); });
  teardown(() => place.end());

  test('the scripts lay it out under the options that the sidecar asks for', async () => {
    assert.deepEqual((await script<Build>('lib', 'native', 'build.mjs')).loupeBuild, loupeBuild);
  });

  test('the packaged sidecar loads ours, and generates with it', async () => {
    // As in the .vsix: the bundle, with the modules beside it that packaging puts there.
    const sidecar = join(place.stateDir, 'packaged', 'sidecar');
    await mkdir(sidecar, { recursive: true });
    await copyFile(join(root, 'dist', 'sidecar', 'main.mjs'), join(sidecar, 'main.mjs'));
    const { stageSidecarModules } = await script<{ stageSidecarModules(target: string, own?: string): Promise<unknown> }>('lib', 'sidecarModules.mjs');
    const folder = await (await script<Build>('lib', 'native', 'build.mjs')).bindingFolderName();
    const own = join(root, 'node_modules', 'node-llama-cpp', 'bins', folder);
    await stageSidecarModules(join(sidecar, 'node_modules'), ownExpected ? own : undefined);

    const client = place.client({ entry: join(sidecar, 'main.mjs') });
    const { engine } = value(await client.status());
    assert.equal(engine.binding, ownExpected ? 'loupe' : 'stock');
    assert.equal(engine.bindingNote === undefined, ownExpected);
    value(await client.load(loadParams('small', { kvPreset: 'balanced', contextSize: 512 })));
    assert.match(value((await generate(client, request(plain('1, 2, 3, 4,'), { maxTokens: 4 }))).result).text, /5/);
    assert.equal(value(await client.audit('chat')).engine.binding, engine.binding);
  });

  test('ours keeps its threads from one token to the next, and ends them with the model', async function () {
    if (process.platform !== 'linux') this.skip(); // threads are files there
    const client = place.client();
    value(await client.load(loadParams('small', { contextSize: 512, threads: 2 })));
    const threads = (): string[] => readdirSync(`/proc/${String(pid)}/task`);
    const pid = await place.pid();
    value((await generate(client, request(plain('1, 2, 3, 4,'), { maxTokens: 2 }))).result);

    const loaded = new Set(threads());
    const seen = new Set<string>();
    const looking = setInterval(() => { for (const id of threads()) seen.add(id); }, 1);
    const { result } = await generate(client, request(plain('1, 2, 3, 4,'), { maxTokens: 60 })).finally(() => clearInterval(looking));
    assert.ok(value(result).stats.tokensOut > 20);
    // Not of the engine: V8 and the thread pool of Node may start one or two of theirs late.
    const started = [...seen].filter((id) => !loaded.has(id)).length;
    assert.ok(started <= 4, `${started} threads were started`);

    value(await client.unload('chat'));
    await waitUntil('a thread less', () => threads().length < loaded.size, 5000);
  });

  test('without it the published one serves, with its own storage, and says so in plain words', async () => {
    const client = place.client({ stockEngine: true });
    const { engine } = value(await client.status());
    assert.deepEqual([engine.binding, engine.formats, engine.formatVersion, engine.isa], ['stock', [], 0, '']);
    assert.match(engine.bindingNote ?? '', /^The prebuilt engine is in use, because .*q8_0, about half of f16, the others in f16: .*own engine\.$/);
    const loaded = value(await client.load(loadParams('small', { kvPreset: 'balanced', contextSize: 512 })));
    assert.deepEqual([loaded.kv.keys, loaded.kv.values], ['f16', 'f16']);
    assert.match(loaded.kvNote ?? '', /^Loupe's own engine is not in use here, so the preset "balanced" keeps its KV cache in f16: 3\.5 times the memory/);
    const small = value(await client.load(loadParams('small', { kvPreset: 'compact', contextSize: 512 })));
    assert.deepEqual([small.kv.keys, small.kv.values], ['q8_0', 'q8_0']);
    assert.match(value((await generate(client, request(plain('1, 2, 3, 4,'), { maxTokens: 4 }))).result).text, /5/);
  });

  test('where ours is damaged, the published one serves too', async () => {
    const sidecar = join(place.stateDir, 'damaged', 'sidecar');
    await mkdir(sidecar, { recursive: true });
    await copyFile(join(root, 'dist', 'sidecar', 'main.mjs'), join(sidecar, 'main.mjs'));
    const { stageSidecarModules } = await script<{ stageSidecarModules(target: string): Promise<unknown> }>('lib', 'sidecarModules.mjs');
    await stageSidecarModules(join(sidecar, 'node_modules'));
    const bins = join(sidecar, 'node_modules', 'node-llama-cpp', 'bins', await (await script<Build>('lib', 'native', 'build.mjs')).bindingFolderName());
    await mkdir(bins, { recursive: true });
    await writeFile(join(bins, '_nlcBuildMetadata.json'), '{"buildOptions":{"gpu":false}}');
    await writeFile(join(bins, 'llama-addon.node'), 'not a library');
    const client = place.client({ entry: join(sidecar, 'main.mjs') });
    assert.equal(value(await client.status()).engine.binding, 'stock');
  });
});
