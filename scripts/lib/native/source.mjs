// The source of our native binding: node-llama-cpp's addon and the llama.cpp it carries, with our numbered patches, and native/kv.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { capture, mustRun } from '../exec.mjs';
import { Stop } from '../log.mjs';
import { fromRoot } from '../paths.mjs';

/** Folder of the installed node-llama-cpp. */
export const nodeLlamaCpp = () => path.dirname(path.dirname(fileURLToPath(import.meta.resolve('node-llama-cpp')))); // <package>/dist/index.js
const bundled = (...parts) => path.join(nodeLlamaCpp(), 'llama', ...parts);

/** Of its `llama` folder, what the addon is built from. */
const addonSource = ['CMakeLists.txt', 'addon', 'cmake', 'profiles'];
const filesIn = folder => fs.readdirSync(folder, { withFileTypes: true }).filter(entry => entry.isFile()).map(entry => entry.name).sort();

/** Parts of our folders that every build of the engine compiles: the patches expect the folders beside each other. */
const engineSource = () => ({ kv: ['sources.cmake', 'include', 'src'], engine: filesIn(fromRoot('native', 'engine')) });
/** What the tools compile besides: measurements and tests, which are no part of the binding and must not make it anew. */
const toolsSource = () => ({
  bench: ['variants', ...filesIn(fromRoot('native', 'bench')).filter(name => /\.(cpp|h|txt)$/.test(name))],
  engine: ['test'],
  kv: ['test/check.h', 'test/support.h', 'tools/lloyd_max.h'],
});
/** Parts by folder for a `kind` of build. */
const ownSource = kind => Object.entries(engineSource()).concat(kind === 'tools' ? Object.entries(toolsSource()) : []);
const headerPackages = ['node-api-headers', 'node-addon-api'];

/** Our patches onto `llama.cpp` or onto the `addon`, in the order in which they are applied. */
function patches(onto) {
  const folder = fromRoot('native', 'patches', onto);
  const files = fs.existsSync(folder) ? fs.readdirSync(folder).filter(name => name.endsWith('.patch')).sort() : [];
  return files.map(name => path.join(folder, name));
}

const filesUnder = (folder, parts) => parts.flatMap(part => {
  const whole = path.join(folder, part);
  if (!fs.existsSync(whole)) return [];
  if (fs.statSync(whole).isFile()) return [whole];
  return fs.readdirSync(whole, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile()).map(entry => path.join(entry.parentPath, entry.name)).sort();
});

/** Hash of all that a `kind` of build ("binding" or "tools") compiles: what decides the binary besides compiler, platform and flags. */
export function sourceHash(kind) {
  const hash = createHash('sha256');
  const groups = [
    [bundled(), filesUnder(bundled(), [...addonSource, 'patches', 'gitRelease.bundle'])],
    [fromRoot('native'), [...patches('llama.cpp'), ...patches('addon'), ...ownSource(kind).flatMap(([name, parts]) => filesUnder(fromRoot('native', name), parts))]],
  ];
  for (const [root, files] of groups) {
    for (const file of files) {
      hash.update(`${path.relative(root, file)}\n${createHash('sha256').update(fs.readFileSync(file)).digest('hex')}\n`);
    }
  }
  return hash.digest('hex');
}

/**
 * Brings the patched source into `work`: `source` (the addon, with `llama.cpp` inside), `kv`, `engine` and `headers`. Files whose content is right
 * keep their time, so that a later build compiles only what a changed patch touches. Throws with the patch's name when one does not apply.
 */
export async function prepareSource(work) {
  const fresh = path.join(work, 'fresh');
  fs.rmSync(fresh, { recursive: true, force: true });
  const llama = path.join(work, 'llama.cpp');
  await pristineLlama(llama);
  await applyPatches(llama, 'llama.cpp', [...filesUnder(bundled(), ['patches']).filter(file => file.endsWith('.diff')), ...patches('llama.cpp')]);
  for (const part of addonSource) fs.cpSync(bundled(part), path.join(fresh, part), { recursive: true });
  // A repository of its own: inside another one, git would pass over patches to files that are not part of that.
  await mustRun('git init', 'git', ['init', '--quiet', fresh]);
  await applyPatches(fresh, 'the addon', patches('addon'));

  mirror(fresh, path.join(work, 'source'), ['.git', 'llama.cpp']);
  mirror(llama, path.join(work, 'source', 'llama.cpp'), ['.git']);
  // Whatever is built next: both kinds share the folder, and each compiles its own part of it.
  for (const [name, parts] of ownSource('tools')) {
    for (const part of parts) fs.cpSync(fromRoot('native', name, part), path.join(fresh, name, part), { recursive: true });
  }
  for (const name of new Set(ownSource('tools').map(([folder]) => folder))) mirror(path.join(fresh, name), path.join(work, name));
  for (const name of headerPackages) mirror(fromRoot('node_modules', name), path.join(work, 'headers', name));
  fs.rmSync(fresh, { recursive: true, force: true });
}

/** A clone of the bundled llama.cpp as it is published, whatever a broken-off run left there. */
async function pristineLlama(folder) {
  const release = JSON.parse(fs.readFileSync(bundled('llama.cpp.info.json'), 'utf8')).tag;
  const mark = path.join(folder, '.git', 'loupe-release');
  if (fs.existsSync(mark) && fs.readFileSync(mark, 'utf8') === release) {
    await mustRun('resetting llama.cpp', 'git', ['-C', folder, 'reset', '--quiet', '--hard']);
    await mustRun('resetting llama.cpp', 'git', ['-C', folder, 'clean', '--quiet', '-fdx']);
    return;
  }
  fs.rmSync(folder, { recursive: true, force: true });
  await mustRun('unpacking llama.cpp', 'git', ['clone', '--quiet', bundled('gitRelease.bundle'), folder]);
  fs.writeFileSync(mark, release);
}

/** Applies patches to the root of a git repository, in order. Throws with the name of the one that does not apply. */
export async function applyPatches(folder, what, files) {
  for (const file of files) {
    const { code, output } = await capture('git', ['apply', '--whitespace=nowarn', file], { cwd: folder });
    if (code !== 0) throw new Stop(`The patch ${path.basename(file)} does not apply to ${what}.\n${output.trim()}`);
  }
}

/** Makes `to` a copy of `from`, names in `except` left alone at the top; writes only what differs. */
export function mirror(from, to, except = []) {
  fs.mkdirSync(to, { recursive: true });
  const wanted = fs.readdirSync(from, { withFileTypes: true }).filter(entry => !except.includes(entry.name));
  const names = new Set(wanted.map(entry => entry.name));
  for (const name of fs.readdirSync(to)) if (!names.has(name) && !except.includes(name)) fs.rmSync(path.join(to, name), { recursive: true, force: true });
  for (const entry of wanted) {
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)];
    const there = fs.lstatSync(target, { throwIfNoEntry: false });
    if (there && there.isDirectory() !== entry.isDirectory()) fs.rmSync(target, { recursive: true });
    if (entry.isDirectory()) mirror(source, target);
    else if (entry.isFile() && !(there?.isFile() && sameContent(source, target))) fs.copyFileSync(source, target);
  }
}

const sameContent = (a, b) => fs.statSync(a).size === fs.statSync(b).size && fs.readFileSync(a).equals(fs.readFileSync(b));
