// What quality.mjs and variants.mjs measure with: llama-perplexity of the patched engine over code of one of this project's dependencies,
// whose version is pinned.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { capture } from '../../scripts/lib/exec.mjs';
import { ensureTools } from '../../scripts/lib/native/build.mjs';
import { fromRoot, modelsDir } from '../../scripts/lib/paths.mjs';

/** Tokens at a time; the second half of them counts. */
export const context = 2048;

/** `chunks`: of `context` tokens, in the usual measurement. `smallHeads`: the large blocks of mixed keys do not divide them. */
export const models = {
  'Gemma 3 270M': { file: 'gemma-3-270m-q4_k_m.gguf', chunks: 8 },
  'Qwen2.5-Coder 0.5B': { file: 'qwen2.5-coder-0.5b-instruct-q4_k_m.gguf', chunks: 4, smallHeads: true },
  'Qwen2.5-Coder 1.5B': { file: 'qwen2.5-coder-1.5b-instruct-q4_k_m.gguf', chunks: 4 },
};

/** A storage for one model: in small heads mixed keys have smaller blocks, with an eighth of a bit more. */
export const storedFor = ({ smallHeads }, how) =>
  (smallHeads && how.keys.endsWith('m') ? { ...how, keys: `${how.keys}_32`, ...(how.bits === undefined ? {} : { bits: how.bits + 0.125 }) } : how);

/** What everything is compared with. */
export const upstreamF16 = { keys: 'f16', values: 'f16', bits: 32, env: { LOUPE_KV_ATTN: 'off' } };

/** Code with its comments, from a package that package-lock.json pins. */
function corpus() {
  const files = ['runner.js', 'mocha.cjs', 'utils.cjs', 'suite.js', 'errors.js', 'runnable.js', 'reporters/base.js'];
  return files.map(file => fs.readFileSync(fromRoot('node_modules', 'mocha', 'lib', file), 'utf8')).join('\n');
}

const figures = {
  kld: /Mean\s+KLD:\s+(-?[\d.]+)/, kldError: /Mean\s+KLD:\s+-?[\d.]+ ±\s+([\d.]+)/, kld999: /99\.9%\s+KLD:\s+(-?[\d.]+)/, sameTop: /Same top p:\s+([\d.]+)/,
  ppl: /Mean PPL\(Q\)\s+:\s+([\d.]+)/,
};

/**
 * Runs `body` with two functions that take a model's file, a storage (`keys`, `values`, `env`, `batch`) and a number of chunks: `base` computes
 * the probabilities that the others are compared with, `compare` returns figures, seconds and the program's output. Files go to `folder`,
 * where a base that is already there is used again, or to a temporary one.
 */
export async function withPerplexity(folder, body) {
  const program = path.join(await ensureTools(), 'llama-perplexity');
  const work = folder ?? fs.mkdtempSync(path.join(os.tmpdir(), 'loupe-quality-'));
  fs.mkdirSync(work, { recursive: true });
  const text = path.join(work, 'corpus.txt');
  const hash = createHash('sha256').update(corpus()).digest('hex').slice(0, 12);
  fs.writeFileSync(text, corpus());
  const baseOf = (model, chunks) => path.join(work, `${model}-${chunks}-${hash}.base`);

  const run = async (model, { keys, values, env, batch = 512 }, chunks, extra) => {
    const args = [
      '-m', path.join(modelsDir(), model), '-f', text, '-c', String(context), '-b', String(batch), '-ub', String(batch), '-t', String(Math.max(1, os.availableParallelism())),
      '-fa', 'on', '-ctk', keys, '-ctv', values, '--chunks', String(chunks), ...extra,
    ];
    const started = performance.now();
    const { code, output } = await capture(program, args, { env: { ...process.env, ...env } });
    if (code !== 0) throw new Error(`llama-perplexity ended with ${code}\n${output.slice(-2000)}`);
    return { output, seconds: (performance.now() - started) / 1000 };
  };

  try {
    await body({
      hash,
      base: async (model, chunks) => {
        const file = baseOf(model, chunks);
        if (fs.existsSync(file)) return;
        await run(model, upstreamF16, chunks, ['--kl-divergence-base', `${file}.partial`]);
        fs.renameSync(`${file}.partial`, file);
      },
      compare: async (model, storage, chunks) => {
        const { output, seconds } = await run(model, storage, chunks, ['--kl-divergence-base', baseOf(model, chunks), '--kl-divergence']);
        const found = Object.fromEntries(Object.entries(figures).map(([figure, pattern]) => [figure, Number(pattern.exec(output)?.[1])]));
        return { found, seconds, output };
      },
      forget: (model, chunks) => folder ?? fs.rmSync(baseOf(model, chunks)),
    });
  } finally {
    if (folder === undefined) fs.rmSync(work, { recursive: true, force: true });
  }
}
