import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { catalogue } from '../../../src/model/catalogue.js';
import * as product from '../../../src/model/paths.js';
import { root } from './sources.js';

/** The scripts run before anything is compiled, so they are plain JavaScript; what a test uses of them is typed here. */
const load = async <T>(name: string): Promise<T> => await import(pathToFileURL(path.join(root, 'scripts', 'lib', name)).href) as T;
const models = await load<{ testModels: Record<string, { file: string; sha256: string }> }>('testModels.mjs');
const paths = await load<{ cacheRoot: typeof product.cacheRoot }>('paths.mjs');
const packaged = await load<{ checkFiles(names: readonly string[], binding: string, own?: string): readonly string[] }>('packagedFiles.mjs');
const native = await load<{
  applyPatches(folder: string, what: string, files: readonly string[]): Promise<void>; mirror(from: string, to: string, except?: readonly string[]): void;
}>('native/source.mjs');
const toolchain = await load<{ bindingFlags: readonly string[] }>('native/toolchain.mjs');
const zip = await load<{ zipEntries(file: string): readonly string[] }>('zip.mjs');
const cache = await load<{ cached(title: string, target: string, make: (work: string) => Promise<string>): Promise<string> }>('cache.mjs');

/** What a compiler sees of a file when the switch is off. */
const withoutVariants = (text: string): string => text.replaceAll(/^#ifdef LOUPE_KV_VARIANTS\b[^]*?^#(?:else|endif)\b/gm, '');

suite('scripts', () => {
  let folder: string;
  setup(() => { folder = fs.mkdtempSync(path.join(os.tmpdir(), 'loupe-scripts-')); });
  teardown(() => fs.rmSync(folder, { recursive: true, force: true }));

  test('scripts and product agree where the cache is', () => {
    const environments = [{}, { LOUPE_CACHE: '/a/b' }, { XDG_CACHE_HOME: '/x' }, { LOCALAPPDATA: '/l' }];
    for (const env of environments) {
      for (const platform of ['linux', 'darwin', 'win32'] as const) {
        assert.equal(paths.cacheRoot(env, platform, '/h'), product.cacheRoot(env, platform, '/h'), `${platform} ${JSON.stringify(env)}`);
      }
    }
  });

  test('test models that the catalogue knows have its file name and hash', () => {
    const known = catalogue.filter(entry => entry.id in models.testModels);
    assert.ok(known.length >= 3);
    for (const { id, file, sha256 } of known) assert.deepEqual({ file, sha256 }, pick(models.testModels[id]!), id);
  });

  test('a file that is not on the list, and a missing one, are each reported', () => {
    const problems = packaged.checkFiles([
      'extension/package.json', 'extension/src/secret.ts', 'extension/dist/sidecar/node_modules/left-pad/index.js',
      'extension/dist/sidecar/node_modules/@node-llama-cpp/linux-x64/bins/linux-x64/libggml-base.so',
      'extension/dist/sidecar/node_modules/node-llama-cpp/llama/gitRelease.bundle',
    ], '@node-llama-cpp/linux-x64');
    assert.deepEqual(problems.filter(problem => problem.startsWith('extra')), [
      'extra: extension/src/secret.ts', 'extra: extension/dist/sidecar/node_modules/left-pad/index.js',
      'extra: extension/dist/sidecar/node_modules/node-llama-cpp/llama/gitRelease.bundle',
    ]);
    assert.ok(problems.includes('missing: extension/dist/extension/main.cjs'));
    assert.ok(!problems.includes('missing: extension/package.json'));
  });

  test('our binding may be packed where it was built, under its own name only, and then must be', () => {
    const file = (name: string): string => `extension/dist/sidecar/node_modules/node-llama-cpp/bins/${name}`;
    const names = ['linux-x64-abc/llama-addon.node', 'linux-x64-abc/libggml-cpu-zen4.so', 'linux-x64-abc/_nlcBuildMetadata.json'].map(file);
    const problems = (own?: string, more: readonly string[] = names): readonly string[] =>
      packaged.checkFiles(more, '@node-llama-cpp/linux-x64', own).filter(problem => problem.includes('/bins/'));
    assert.deepEqual(problems('linux-x64-abc'), []);
    assert.deepEqual(problems(), names.map(name => `extra: ${name}`));
    assert.deepEqual(problems('linux-x64-other', []), [`missing: ${file('linux-x64-other/llama-addon.node')}`]);
    assert.deepEqual(problems('linux-x64-abc', [...names, file('linux-x64-abc/llama.cpp')]), [`extra: ${file('linux-x64-abc/llama.cpp')}`]);
  });

  test('a patch that does not apply fails with its name, after those before it', async () => {
    const [tree, patches] = ['tree', 'patches'].map(name => path.join(folder, name)) as [string, string];
    for (const one of [tree, patches]) fs.mkdirSync(one);
    execFileSync('git', ['init', '--quiet', tree]);
    fs.writeFileSync(path.join(tree, 'a.c'), 'int a = 1;\n');
    const patch = (name: string, from: string, to: string): string => {
      const file = path.join(patches, name);
      fs.writeFileSync(file, `engine : why\n\nA header.\n---\ndiff --git a/a.c b/a.c\n--- a/a.c\n+++ b/a.c\n@@ -1 +1 @@\n-int a = ${from};\n+int a = ${to};\n`);
      return file;
    };
    await native.applyPatches(tree, 'the addon', [patch('0001-two.patch', '1', '2'), patch('0002-three.patch', '2', '3')]);
    assert.equal(fs.readFileSync(path.join(tree, 'a.c'), 'utf8'), 'int a = 3;\n');
    await assert.rejects(native.applyPatches(tree, 'the addon', [patch('0003-late.patch', '2', '4')]), /The patch 0003-late\.patch does not apply to the addon/);
  });

  test('bringing source up to date leaves what is right alone, so that it is not compiled again', () => {
    const [from, to] = ['from', 'to'].map(name => path.join(folder, name)) as [string, string];
    const write = (root: string, name: string, text: string): string => {
      const file = path.join(root, name);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, text);
      return file;
    };
    for (const [name, text] of [['same.c', '1'], ['deep/changed.c', '2'], ['new.c', '3'], ['folder', 'now a file']] as const) write(from, name, text);
    const same = write(to, 'same.c', '1');
    for (const [name, text] of [['deep/changed.c', '0'], ['gone.c', '4'], ['folder/inside.c', '5'], ['keep/x', '6']] as const) write(to, name, text);
    fs.utimesSync(same, 1000, 1000);
    native.mirror(from, to, ['keep']);
    assert.equal(fs.statSync(same).mtimeMs, 1_000_000);
    assert.equal(fs.readFileSync(path.join(to, 'deep', 'changed.c'), 'utf8'), '2');
    assert.deepEqual(fs.readdirSync(to).sort(), ['deep', 'folder', 'keep', 'new.c', 'same.c']);
  });

  test('every patch of ours begins with a header that says why', () => {
    const patches = ['llama.cpp', 'addon'].flatMap(onto => fs.readdirSync(path.join(root, 'native', 'patches', onto)).map(name => path.join(root, 'native', 'patches', onto, name)));
    assert.ok(patches.length >= 2);
    for (const file of patches) {
      assert.match(path.basename(file), /^\d{4}-[\w-]+\.patch$/);
      const header = fs.readFileSync(file, 'utf8').split(/^(?:---|diff --git .*)$/m)[0] ?? '';
      assert.match(header, /^.{10,100}\n\n[^]{80,}/, file);
    }
  });

  test('storage that is measured and not shipped is compiled where llama.cpp builds its tools, and nowhere else', () => {
    const files = execFileSync('git', ['ls-files', 'native', 'scripts', 'src'], { cwd: root, encoding: 'utf8' }).trim().split('\n');
    const lines = files.flatMap(file => fs.readFileSync(path.join(root, file), 'utf8').split('\n').map(line => ({ file, line })));
    // Who switches it on, and who is told where it lies: the folder that the next patch adds to the tools, which the binding does not build.
    const switches = lines.filter(({ line }) => line.includes('LOUPE_KV_VARIANTS') && !/^#ifdef LOUPE_KV_VARIANTS\b/.test(line));
    assert.deepEqual(new Set(switches.map(({ file }) => file)), new Set(['native/bench/CMakeLists.txt']));
    const entries = lines.filter(({ file, line }) => /\.(patch|cmake|txt)$/.test(file) && !file.startsWith('native/bench/') && !file.startsWith('native/kv/test/') && line.includes('/bench'));
    assert.deepEqual(entries.map(({ line }) => line.trim()).filter(line => line.startsWith('+')), ['+add_subdirectory(${LOUPE_KV_DIR}/../bench loupe-bench)']);
    const tools = fs.readFileSync(path.join(root, 'native', 'patches', 'llama.cpp', path.basename(entries[0]!.file)), 'utf8').split(/^diff --git /m).find(part => part.includes('/../bench'));
    assert.match(tools ?? '', /^a\/tools\/CMakeLists\.txt /);
    assert.ok(!toolchain.bindingFlags.some(flag => /LLAMA_BUILD_TOOLS|LLAMA_BUILD_TESTS/.test(flag)));
    // In the engine nothing of it is outside the switch, and no header differs with it.
    const engine = files.filter(file => file.startsWith('native/engine/') && /#include "graph\.h"|\bvariants::/.test(withoutVariants(fs.readFileSync(path.join(root, file), 'utf8'))));
    assert.deepEqual(engine, []);
    assert.deepEqual(lines.filter(({ file, line }) => file.endsWith('.h') && line.includes('LOUPE_KV_VARIANTS')), []);
  });

  test('the names in a zip archive are read from its directory', () => {
    // Two empty entries and a comment at the end.
    const entry = (name: string) => Buffer.concat([header(0x04034b50, 30, [[26, name.length]]), Buffer.from(name)]);
    const listed = (name: string) => Buffer.concat([header(0x02014b50, 46, [[28, name.length]]), Buffer.from(name)]);
    const names = ['a/b.txt', 'c'];
    const body = Buffer.concat(names.map(entry));
    const directory = Buffer.concat(names.map(listed));
    const end = header(0x06054b50, 22, [[10, names.length], [20, 2]]);
    end.writeUInt32LE(body.length, 16);
    const file = path.join(folder, 'a.zip');
    fs.writeFileSync(file, Buffer.concat([body, directory, end, Buffer.from('hi')]));
    assert.deepEqual(zip.zipEntries(file), names);
    fs.writeFileSync(file, 'not an archive, but long enough to hold one');
    assert.throws(() => zip.zipEntries(file), /not a zip archive/);
  });

  test('what is in the cache is complete: a failed run leaves nothing at its place, and the next one resumes', async () => {
    const target = path.join(folder, 'thing');
    await assert.rejects(cache.cached('thing', target, async work => {
      fs.writeFileSync(path.join(work, 'half'), '1');
      throw new Error('cut off');
    }), /cut off/);
    assert.equal(fs.existsSync(target), false);
    await cache.cached('thing', target, async work => {
      const whole = path.join(work, 'whole');
      fs.writeFileSync(whole, `${fs.readFileSync(path.join(work, 'half'), 'utf8')}2`);
      return whole;
    });
    assert.equal(fs.readFileSync(target, 'utf8'), '12');
    assert.deepEqual(fs.readdirSync(folder), ['thing']);
  });

  test('two runs at once make a thing once', async () => {
    let made = 0;
    const target = path.join(folder, 'thing');
    const make = async (work: string) => {
      made += 1;
      await new Promise(resolve => setTimeout(resolve, 50));
      fs.writeFileSync(path.join(work, 'x'), '');
      return path.join(work, 'x');
    };
    await Promise.all([cache.cached('thing', target, make), cache.cached('thing', target, make)]);
    assert.equal(made, 1);
  });
});

const pick = ({ file, sha256 }: { file: string; sha256: string }) => ({ file, sha256 });

function header(signature: number, size: number, fields: readonly (readonly [offset: number, value: number])[]): Buffer {
  const bytes = Buffer.alloc(size);
  bytes.writeUInt32LE(signature, 0);
  for (const [offset, value] of fields) bytes.writeUInt16LE(value, offset);
  return bytes;
}
