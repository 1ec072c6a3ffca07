import fs from 'node:fs';
import path from 'node:path';
import { Stop } from './log.mjs';
import { installBinding } from './native/build.mjs';
import { fromRoot, vsceTarget } from './paths.mjs';

const bindings = {
  'linux-x64': 'linux-x64', 'linux-arm64': 'linux-arm64', 'darwin-arm64': 'mac-arm64-metal', 'darwin-x64': 'mac-x64',
  'win32-x64': 'win-x64', 'win32-arm64': 'win-arm64',
};

/**
 * What node-llama-cpp imports for building from source and for downloading, which Loupe never does (`build: 'never'`, and
 * models come through src/model/download.ts). Its modules name these at load time, so each stands as a file whose functions throw.
 */
const leftOut = {
  ipull: ['downloadFile', 'downloadSequence', 'DownloadStatus'],
  'simple-git': ['simpleGit'],
};

/** Files that node-llama-cpp reads rather than imports. */
const dataFiles = ['llama/binariesGithubRelease.json', 'llama/llama.cpp.info.json', 'llama/package.json'];

export const bindingPackage = () => {
  const name = bindings[vsceTarget];
  if (!name) throw new Stop(`node-llama-cpp has no prebuilt binding for ${vsceTarget}.`);
  return `@node-llama-cpp/${name}`;
};

/**
 * Copies what the sidecar loads at run time to `target` (a node_modules folder): exactly the modules that node-llama-cpp's
 * entry reaches by import, the data it reads, this platform's processor binding, and our own where there is one (`ownBinding`, its folder): the
 * published one serves where ours does not run. Returns the packages, by folder.
 */
export async function stageSidecarModules(target, ownBinding) {
  fs.rmSync(target, { recursive: true, force: true });
  const packages = new Set();
  for (const file of await reachable('node-llama-cpp')) {
    const owner = packageOf(file);
    copy(file, target);
    // A folder inside a package may have a package.json of its own, which says how its .js files are to be read.
    for (let folder = path.dirname(file); folder.length > owner.length; folder = path.dirname(folder)) {
      if (fs.existsSync(fromRoot(folder, 'package.json'))) copy(path.join(folder, 'package.json'), target);
    }
    packages.add(owner);
  }
  for (const file of dataFiles) copy(path.join('node_modules', 'node-llama-cpp', file), target);
  const binding = path.join('node_modules', bindingPackage());
  for (const file of fs.readdirSync(fromRoot(binding), { recursive: true })) {
    if (fs.statSync(fromRoot(binding, file)).isFile() && !file.endsWith('README.md')) copy(path.join(binding, file), target);
  }
  packages.add(binding);
  for (const folder of packages) {
    copy(path.join(folder, 'package.json'), target);
    for (const name of fs.readdirSync(fromRoot(folder)).filter(isLicence)) copy(path.join(folder, name), target);
  }
  if (ownBinding) await installBinding(ownBinding, target);
  for (const [name, exported] of Object.entries(leftOut)) writeAbsent(path.join(target, name), name, exported);
  return [...packages];
}

export const isLicence = name => /^licen[cs]e/i.test(name);

/** Files that a module graph reaches, relative to the root of the checkout; esbuild follows the imports, its output is not used. */
async function reachable(name) {
  const esbuild = await import('esbuild');
  const { metafile } = await esbuild.build({
    stdin: { contents: `import ${JSON.stringify(name)};`, resolveDir: fromRoot() },
    absWorkingDir: fromRoot(), bundle: true, write: false, metafile: true, treeShaking: false, platform: 'node', format: 'esm', logLevel: 'error',
    external: ['@node-llama-cpp/*', 'electron', ...Object.keys(leftOut)], preserveSymlinks: true,
  });
  return Object.keys(metafile.inputs).filter(file => file.startsWith('node_modules/'));
}

function copy(file, target) {
  const to = path.join(target, path.relative('node_modules', file));
  fs.mkdirSync(path.dirname(to), { recursive: true });
  fs.copyFileSync(fromRoot(file), to);
}

/** `node_modules/a/node_modules/@b/c/dist/x.js` is in the package `node_modules/a/node_modules/@b/c`. */
export const packageOf = file => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];

function writeAbsent(folder, name, exported) {
  const lines = exported.map(one => `export function ${one}() { throw new Error('${name} is not part of Loupe'); }`);
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, 'index.js'), `${lines.join('\n')}\n`);
  const manifest = { name, version: '0.0.0', description: 'Left out of Loupe', type: 'module', exports: './index.js' };
  fs.writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
}
