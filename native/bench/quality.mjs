// What each storage of the KV cache costs in quality: mean and 99.9th percentile of the KL divergence from f16, agreement of the first
// choice, perplexity.
//
//   node native/bench/quality.mjs [--models=a,b] [--storages="a;b"] [--chunks=N]
//
// Results are kept in docs/eval/kv-quality.json and shown in docs/eval/kv-quality.md, with a plot: a run replaces what it measures anew.
import fs from 'node:fs';
import { parseArgs } from 'node:util';
import { note } from '../../scripts/lib/log.mjs';
import { fromRoot } from '../../scripts/lib/paths.mjs';
import { context, models, storedFor, upstreamF16, withPerplexity } from './perplexity.mjs';
import { memoryOf } from './qualityMemory.mjs';
import { render } from './qualityReport.mjs';

/** `bits` of a key and a value together, of the layers that keep every token; f16 has 32. */
const storages = {
  f16: upstreamF16,
  'f16, transforms': { keys: 'f16', values: 'f16', bits: 32, env: { LOUPE_KV_TRANSFORM_F16: '1' } },
  q8_0: { keys: 'q8_0', values: 'q8_0', bits: 17 },
  'q8_0 / q4_0': { keys: 'q8_0', values: 'q4_0', bits: 13 },
  q5_1: { keys: 'q5_1', values: 'q5_1', bits: 12 },
  q4_0: { keys: 'q4_0', values: 'q4_0', bits: 9 },
  iq4_nl: { keys: 'iq4_nl', values: 'iq4_nl', bits: 9 },
  faithful: { keys: 'kv8', values: 'kv5', bits: 13.25, ours: true },
  balanced: { keys: 'kv5', values: 'kv4', bits: 9.25, ours: true },
  compact: { keys: 'kv43m', values: 'kv3', bits: 6.75, ours: true },
  smallest: { keys: 'kv3m', values: 'kv2', bits: 5.25, ours: true },
  'balanced, no f16 rows': { keys: 'kv5', values: 'kv4', bits: 9.25, ours: true, env: { LOUPE_KV_TAIL: 'off' } },
  'kv3m / kv3': { keys: 'kv3m', values: 'kv3', bits: 6.25, ours: true },
  'kv3 / kv3': { keys: 'kv3', values: 'kv3', bits: 6.25, ours: true },
  'kv4 / kv2': { keys: 'kv4', values: 'kv2', bits: 6.25, ours: true },
  'kv3 / kv2': { keys: 'kv3', values: 'kv2', bits: 5.25, ours: true },
  'compact, no f16 rows': { keys: 'kv43m', values: 'kv3', bits: 6.75, ours: true, env: { LOUPE_KV_TAIL: 'off' } },
  'balanced, key bias kept': { keys: 'kv5', values: 'kv4', bits: 9.25, ours: true, env: { LOUPE_KV_TAIL: 'off', LOUPE_KV_BIAS: 'off' } },
  'balanced, not balanced': { keys: 'kv5', values: 'kv4', bits: 9.25, ours: true, env: { LOUPE_KV_TAIL: 'off', LOUPE_KV_BALANCE: 'off' } },
};

async function main() {
  const { values: options } = parseArgs({ options: { models: { type: 'string' }, storages: { type: 'string' }, chunks: { type: 'string' } } });
  const chosen = (all, names) => Object.entries(all).filter(([name]) => names === undefined || names.includes(name));
  const file = fromRoot('docs', 'eval', 'kv-quality.json');
  const kept = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : {};
  await withPerplexity(undefined, async ({ hash, base, compare, forget }) => {
    for (const [name, which] of chosen(models, options.models?.split(','))) {
      const { file: model, chunks: usual } = which;
      const chunks = Number(options.chunks ?? usual);
      await base(model, chunks);
      for (const [storage, general] of chosen(storages, options.storages?.split(';'))) {
        const how = storedFor(which, general);
        const { found, seconds } = await compare(model, how, chunks);
        (kept[name] ??= {})[storage] = { bits: how.bits, ours: how.ours === true, chunks, corpus: hash, ...found };
        note(`${name}, ${storage}: KLD ${found.kld}, 99.9 % ${found.kld999}, same top ${found.sameTop} %, PPL ${found.ppl} (${seconds.toFixed(0)} s)`);
        fs.writeFileSync(file, `${JSON.stringify(kept, undefined, 1)}\n`);
      }
      forget(model, chunks);
    }
    const memory = {};
    for (const name of Object.keys(kept)) memory[name] = await memoryOf(models[name].file);
    render(kept, memory, context);
  });
}

await main();
