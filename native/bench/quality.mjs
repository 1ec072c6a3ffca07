// What each storage of the KV cache costs in quality: mean and 99.9th percentile of the KL divergence from f16, agreement of the first
// choice, perplexity. Runs llama-perplexity of the patched engine over code of one of this project's dependencies, whose version is pinned.
//
//   node native/bench/quality.mjs [--models=a,b] [--storages=a,b] [--chunks=N]
//
// Results are kept in docs/eval/kv-quality.json and shown in docs/eval/kv-quality.md, with a plot: a run replaces what it measures anew.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { capture } from '../../scripts/lib/exec.mjs';
import { note } from '../../scripts/lib/log.mjs';
import { ensureTools } from '../../scripts/lib/native/build.mjs';
import { fromRoot, modelsDir } from '../../scripts/lib/paths.mjs';
import { render } from './qualityReport.mjs';

/** `bits` of a key and a value together, of the layers that keep every token; f16 has 32. */
export const storages = {
  f16: { keys: 'f16', values: 'f16', bits: 32, env: { LOUPE_KV_ATTN: 'off' } },
  'f16, transforms': { keys: 'f16', values: 'f16', bits: 32, env: { LOUPE_KV_TRANSFORM_F16: '1' } },
  q8_0: { keys: 'q8_0', values: 'q8_0', bits: 17 },
  'q8_0 / q4_0': { keys: 'q8_0', values: 'q4_0', bits: 13 },
  q5_1: { keys: 'q5_1', values: 'q5_1', bits: 12 },
  q4_0: { keys: 'q4_0', values: 'q4_0', bits: 9 },
  iq4_nl: { keys: 'iq4_nl', values: 'iq4_nl', bits: 9 },
  faithful: { keys: 'kv8', values: 'kv5', bits: 13.25, ours: true },
  balanced: { keys: 'kv5', values: 'kv4', bits: 9.25, ours: true },
  compact: { keys: 'kv4', values: 'kv2', bits: 6.25, ours: true },
  smallest: { keys: 'kv3', values: 'kv2', bits: 5.25, ours: true },
  'balanced, no f16 rows': { keys: 'kv5', values: 'kv4', bits: 9.25, ours: true, env: { LOUPE_KV_TAIL: 'off' } },
  'kv3 / kv3': { keys: 'kv3', values: 'kv3', bits: 6.25, ours: true },
  'compact, no f16 rows': { keys: 'kv4', values: 'kv2', bits: 6.25, ours: true, env: { LOUPE_KV_TAIL: 'off' } },
  'balanced, key bias kept': { keys: 'kv5', values: 'kv4', bits: 9.25, ours: true, env: { LOUPE_KV_TAIL: 'off', LOUPE_KV_BIAS: 'off' } },
  'balanced, not balanced': { keys: 'kv5', values: 'kv4', bits: 9.25, ours: true, env: { LOUPE_KV_TAIL: 'off', LOUPE_KV_BALANCE: 'off' } },
};

const models = {
  'Gemma 3 270M': { file: 'gemma-3-270m-q4_k_m.gguf', chunks: 8 },
  'Qwen2.5-Coder 0.5B': { file: 'qwen2.5-coder-0.5b-instruct-q4_k_m.gguf', chunks: 4 },
  'Qwen2.5-Coder 1.5B': { file: 'qwen2.5-coder-1.5b-instruct-q4_k_m.gguf', chunks: 4 },
};

/** Code with its comments, from a package that package-lock.json pins. */
function corpus() {
  const files = ['runner.js', 'mocha.cjs', 'utils.cjs', 'suite.js', 'errors.js', 'runnable.js', 'reporters/base.js'];
  return files.map(file => fs.readFileSync(fromRoot('node_modules', 'mocha', 'lib', file), 'utf8')).join('\n');
}

const context = 2048;
const figures = {
  kld: /Mean\s+KLD:\s+(-?[\d.]+)/, kld999: /99\.9%\s+KLD:\s+(-?[\d.]+)/, sameTop: /Same top p:\s+([\d.]+)/, ppl: /Mean PPL\(Q\)\s+:\s+([\d.]+)/,
};

async function perplexity(program, text, model, storage, chunks, extra) {
  const threads = String(Math.max(1, os.availableParallelism()));
  const args = [
    '-m', path.join(modelsDir(), model), '-f', text, '-c', String(context), '-b', '512', '-ub', '512', '-t', threads, '-fa', 'on',
    '-ctk', storage.keys, '-ctv', storage.values, '--chunks', String(chunks), ...extra,
  ];
  const started = performance.now();
  const { code, output } = await capture(program, args, { env: { ...process.env, ...storage.env } });
  if (code !== 0) throw new Error(`llama-perplexity ended with ${code}\n${output.slice(-2000)}`);
  return { output, seconds: (performance.now() - started) / 1000 };
}

async function main() {
  const { values: options } = parseArgs({ options: { models: { type: 'string' }, storages: { type: 'string' }, chunks: { type: 'string' } } });
  const chosen = (all, names) => Object.entries(all).filter(([name]) => names === undefined || names.split(',').includes(name));
  const program = path.join(await ensureTools(), 'llama-perplexity');
  const work = fs.mkdtempSync(path.join(os.tmpdir(), 'loupe-quality-'));
  const text = path.join(work, 'corpus.txt');
  fs.writeFileSync(text, corpus());
  const textHash = createHash('sha256').update(corpus()).digest('hex').slice(0, 12);
  const file = fromRoot('docs', 'eval', 'kv-quality.json');
  const kept = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : {};
  try {
    for (const [name, { file: model, chunks: usual }] of chosen(models, options.models)) {
      const chunks = Number(options.chunks ?? usual);
      const base = path.join(work, 'base');
      await perplexity(program, text, model, storages.f16, chunks, ['--kl-divergence-base', base]);
      for (const [storage, how] of chosen(storages, options.storages)) {
        const { output, seconds } = await perplexity(program, text, model, how, chunks, ['--kl-divergence-base', base, '--kl-divergence']);
        const found = Object.fromEntries(Object.entries(figures).map(([figure, pattern]) => [figure, Number(pattern.exec(output)?.[1])]));
        (kept[name] ??= {})[storage] = { bits: how.bits, ours: how.ours === true, chunks, corpus: textHash, ...found };
        note(`${name}, ${storage}: KLD ${found.kld}, 99.9 % ${found.kld999}, same top ${found.sameTop} %, PPL ${found.ppl} (${seconds.toFixed(0)} s)`);
        fs.writeFileSync(file, `${JSON.stringify(kept, undefined, 1)}\n`);
      }
      fs.rmSync(base);
    }
    render(kept, context);
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
}

await main();
