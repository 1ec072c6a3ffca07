// Builds our native binding, and llama.cpp's tools from the same source, once for each state of what goes into them.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { withLock } from '../cache.mjs';
import { mustRun } from '../exec.mjs';
import { step, Stop } from '../log.mjs';
import { cacheRoot, fromRoot } from '../paths.mjs';
import { nodeLlamaCpp, prepareSource, sourceHash } from './source.mjs';
import { bindingFlags, compilerId, generator, niced, platform, toolsFlags } from './toolchain.mjs';

const tools = ['llama-perplexity', 'loupe-depth', 'loupe-answer', 'loupe-caches', 'loupe-engine-test', 'llama-bench', 'test-quantize-fns', 'test-backend-ops'];
const metadataFile = '_nlcBuildMetadata.json';
const libraries = build => fs.readdirSync(build, { recursive: true }).filter(name => bindingFile.test(name)).map(name => path.join(build, name));
const bindingFile = /\.(node|so|dylib)$/;

/** Folder of the finished binding, as node-llama-cpp expects one; built first unless it is in the cache. */
export const ensureBinding = options => ensure('binding', {
  title: 'build the native binding (once, some minutes)', flags: bindingFlags, targets: ['llama-addon'], source: work => path.join(work, 'source'),
  collect: (build, target, hash) => {
    for (const file of libraries(build)) fs.copyFileSync(file, path.join(target, path.basename(file)));
    if (!fs.existsSync(path.join(target, 'llama-addon.node'))) throw new Stop('The build ended without llama-addon.node.');
    const research = libraries(target).filter(file => fs.readFileSync(file).includes('LOUPE_KV_VARIANT')); // the variable that switches it on
    if (research.length > 0) throw new Stop(`Storage that is only measured (native/bench/variants) got into ${research.map(file => path.basename(file)).join(', ')}.`);
    fs.writeFileSync(path.join(target, metadataFile), `${JSON.stringify({ ...metadata(), loupe: hash })}\n`);
  },
}, options);

/** Folder with llama.cpp's programs that measure quality and check types. */
export const ensureTools = options => ensure('tools', {
  title: `build ${tools.join(', ')}`, flags: toolsFlags(), targets: tools, source: work => path.join(work, 'source', 'llama.cpp'),
  collect: (build, target) => {
    for (const name of tools) fs.copyFileSync(path.join(build, 'bin', name), path.join(target, name));
  },
}, options);

/**
 * `work`, where source and objects lie, outlives a build: after a changed patch only what it touches is compiled anew. Every checkout
 * uses the same, one at a time.
 */
async function ensure(kind, { title, flags, targets, source, collect }, { jobs = os.availableParallelism() } = {}) {
  const compiler = await compilerId();
  const short = text => createHash('sha256').update(text).digest('hex').slice(0, 16);
  const hash = short([sourceHash(kind), compiler, platform, ...flags].join('\n'));
  const target = path.join(cacheRoot(), 'native', `${kind}-${hash}`);
  if (fs.existsSync(target)) return target;
  const work = path.join(cacheRoot(), 'native', `work-${short(compiler)}`);
  return withLock(`${work}.lock`, async () => {
    if (fs.existsSync(target)) return target;
    return step(title, async () => {
      await prepareSource(work);
      const build = path.join(work, kind);
      forgetOtherFlags(build, flags);
      // What an earlier state of the source linked, and this one does not, must not be collected with the rest: all is linked anew.
      for (const file of libraries(build)) fs.rmSync(file);
      await mustRun('configuring llama.cpp', ...niced('cmake', ['-S', source(work), '-B', build, ...generator(), ...flags, ...pathFlags(work)]));
      await mustRun(title, ...niced('cmake', ['--build', build, '--target', ...targets, '-j', String(jobs)]));
      const made = `${target}.partial`;
      fs.rmSync(made, { recursive: true, force: true });
      fs.mkdirSync(made, { recursive: true });
      collect(build, made, hash);
      fs.renameSync(made, target);
      return target;
    });
  });
}

/** What was built with other flags would be collected with the rest. */
function forgetOtherFlags(build, flags) {
  const mark = path.join(build, 'loupe-flags');
  if (fs.existsSync(mark) && fs.readFileSync(mark, 'utf8') === flags.join('\n')) return;
  fs.rmSync(build, { recursive: true, force: true });
  fs.mkdirSync(build, { recursive: true });
  fs.writeFileSync(mark, flags.join('\n'));
}

/** Assertions carry the names of source files: without the folder of whoever built it. */
function pathFlags(work) {
  const headers = path.join(work, 'headers');
  return [
    `-DLOUPE_KV_DIR=${path.join(work, 'kv')}`, `-DCMAKE_JS_INC=${path.join(headers, 'node-api-headers', 'include')};${path.join(headers, 'node-addon-api')}`,
    ...['C', 'CXX'].map(language => `-DCMAKE_${language}_FLAGS=-ffile-prefix-map=${work}=.`),
  ];
}

/** What node-llama-cpp reads beside a binding: for which machine and release it was built. */
function metadata() {
  const { tag, llamaCppGithubRepo } = JSON.parse(fs.readFileSync(path.join(nodeLlamaCpp(), 'llama', 'llama.cpp.info.json'), 'utf8'));
  return {
    buildOptions: {
      customCmakeOptions: loupeBuild, progressLogs: true, platform: process.platform, platformInfo: { name: 'Loupe', version: '' }, arch: process.arch, gpu: false,
      llamaCpp: { repo: llamaCppGithubRepo, release: tag },
    },
  };
}

/** CMake options by which node-llama-cpp tells our binding from its own; src/sidecar/engine/binding.ts asks for the same. */
export const loupeBuild = { LOUPE: 'kv' };

/** Name of the folder below node-llama-cpp's `bins` where it looks for a binding with those options; by its own rule. */
export async function bindingFolderName() {
  const { getBuildFolderNameForBuildOptions } = await import(fromFile('dist', 'bindings', 'utils', 'getBuildFolderNameForBuildOptions.js'));
  const { buildOptions } = metadata();
  return (await getBuildFolderNameForBuildOptions({ ...buildOptions, customCmakeOptions: new Map(Object.entries(loupeBuild)) })).withCustomCmakeOptions;
}

const fromFile = (...parts) => new URL(`file://${path.join(nodeLlamaCpp(), ...parts)}`).href;

/** Puts the binding where node-llama-cpp looks for it, in `modules` (a node_modules folder), in place of an earlier one. Returns the folder. */
export async function installBinding(binding, modules = fromRoot('node_modules')) {
  const folder = path.join(modules, 'node-llama-cpp', 'bins', await bindingFolderName());
  const [wanted, present] = [binding, folder].map(one => path.join(one, metadataFile)).map(file => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : ''));
  if (wanted === present) return folder;
  // Renamed into place, so that it is whole or absent; a sidecar that runs keeps the files it has mapped.
  const partial = `${folder}.${process.pid}.partial`;
  fs.cpSync(binding, partial, { recursive: true });
  fs.rmSync(folder, { recursive: true, force: true });
  fs.renameSync(partial, folder);
  return folder;
}
