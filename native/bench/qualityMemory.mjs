// What the presets of a model take in all, as src/model/fit.ts counts it; test/native holds those figures to what the engine allocates.
import path from 'node:path';
import { mustRun } from '../../scripts/lib/exec.mjs';
import { fromRoot, modelsDir } from '../../scripts/lib/paths.mjs';

const lengths = [16_384, 131_072];

async function modelOf(file) {
  await mustRun('tsc', process.execPath, [fromRoot('node_modules', 'typescript', 'bin', 'tsc'), '-b']);
  const [{ readGguf }, { modelShape }, { presetFormat, bitsPerValue }, fit, { kvPresets }] = await Promise.all(
    ['src/model/gguf.js', 'src/model/modelShape.js', 'src/model/kvPresets.js', 'src/model/fit.js', 'src/protocol/kv.js'].map(name => import(fromRoot('out', name))));
  const header = await readGguf(path.isAbsolute(file) ? file : path.join(modelsDir(), file));
  if (!header.ok) throw new Error(header.error.message);
  return { shape: modelShape(header.value), presetFormat, bitsPerValue, fit, kvPresets };
}

/** Upstream's types that no preset uses. */
const bitsBeside = { q4_0: 4.5 };

/** Bytes per token of the layers that keep every token, for each cache as native/bench/cacheName.h names it. */
export async function growingBytes(file, caches) {
  const { shape: { kv: { global } }, bitsPerValue } = await modelOf(file);
  return Object.fromEntries(caches.map(cache => {
    const [keys, values] = cache.replace(/^\w+:/, '').split('/').map(type => bitsBeside[type] ?? bitsPerValue(type));
    return [cache, (global.layers * (global.keyElements * keys + global.valueElements * values)) / 8];
  }));
}

/** For each preset: share of f16's bytes per token, bytes of the window layers and of the rows kept in f16, and bytes in all at two lengths. */
export async function memoryOf(file) {
  const { shape, presetFormat, fit, kvPresets } = await modelOf(file);
  const exact = fit.kvGrowingBytes(shape.kv, presetFormat('exact', shape));
  return Object.fromEntries(kvPresets.map(preset => {
    const format = presetFormat(preset, shape);
    return [preset, {
      keys: format.keys, values: format.values, perToken: fit.kvGrowingBytes(shape.kv, format), share: fit.kvGrowingBytes(shape.kv, format) / exact,
      window: fit.kvWindowBytes(shape.kv, lengths[0], format), tail: fit.kvTailBytes(shape.kv, format), totals: lengths.map(length => fit.kvCacheBytes(shape.kv, length, format)),
    }];
  }));
}

const mib = bytes => (bytes / 1024 ** 2).toFixed(1);

/** `memory`: what {@link memoryOf} says. */
export function memoryTable(memory) {
  const [{ totals: exact }] = Object.values(memory);
  const rows = Object.entries(memory).map(([preset, { keys, values, perToken, share, window, tail, totals }]) =>
    `| ${preset}, ${keys}/${values} | ${perToken.toLocaleString('en-US')} | ${share.toFixed(3)} | ${mib(window)} | ${mib(tail)} | ${totals.map((total, i) => `${mib(total)} (${(total / exact[i]).toFixed(2)})`).join(' | ')} |`);
  return `| preset | bytes per token | of f16 | window layers, MiB | f16 rows, MiB | in all at ${lengths.map(n => n.toLocaleString('en-US')).join(' tokens, MiB (of f16) | ')} tokens |\n|---|---|---|---|---|---|---|\n${rows.join('\n')}\n`;
}
