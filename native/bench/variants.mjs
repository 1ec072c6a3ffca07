// What storages of the KV cache that Loupe does not ship would cost in quality, against those that it does: mean and 99.9th percentile of
// the KL divergence from f16. They are simulated inside an f16 cache (native/bench/variants says what each name means), except for the
// numbers of newest tokens in f16, which the shipped storage is told.
//
//   node native/bench/variants.mjs [--models=a,b] [--only="a;b"] [--chunks=N] [--base=folder]
//
// `--base` keeps the probabilities of f16, hundreds of megabytes for each model, in a folder for the next run. Results are kept in
// docs/eval/kv-variants.json and shown in docs/eval/kv-variants.md: a run replaces what it measures anew.
import fs from 'node:fs';
import { parseArgs } from 'node:util';
import { note } from '../../scripts/lib/log.mjs';
import { fromRoot } from '../../scripts/lib/paths.mjs';
import { models, withPerplexity } from './perplexity.mjs';
import { render } from './variantsReport.mjs';

/** Names with a comma in between: keys and values apart; `switches`: transforms that are off. */
const simulated = (keys, values, switches = {}) => ({
  keys: 'f16', values: 'f16', env: { LOUPE_KV_TRANSFORM_F16: '1', LOUPE_KV_VARIANT: `keys:${keys},values:${values}`, ...switches },
});
const keysOnly = (names, switches) => names.map(name => [name, simulated(name, 'exact', switches)]);
const valuesOnly = names => names.map(name => [`values ${name}`, simulated('exact', name)]);
const untransformed = { LOUPE_KV_BIAS: 'off', LOUPE_KV_BALANCE: 'off' };
// Batches of 256, so that the rows of 256 newest tokens and of a batch are there together.
const newest = (keys, values, bits) => [
  [`${keys}/${values}, none`, { keys, values, bits, batch: 256, env: { LOUPE_KV_TAIL: 'off' } }],
  ...[0, 32, 64, 128, 256].map(n => [`${keys}/${values}, 8 first and ${n} newest`, { keys, values, bits, batch: 256, env: { LOUPE_KV_NEWEST: String(n) } }]),
];

/** Title -> [name, how] of what belongs into one table. */
export const groups = {
  'Keys of about 4 bits, values in f16': keysOnly(['kv4', 'lm4-128', 'kv4_32', 'tq4', 'kv3+qjl1', 'tq3+qjl1', 'kv4+signs1', 'kv4+signs2', 'kv4+signs3', 'kv4+centre64', 'kv4+centre128', 'lm4split2', 'lm4split4']),
  'Keys of about 3 bits, values in f16': keysOnly(['kv3', 'lm3-128', 'kv3_32', 'lm3.25-64', 'lm3.5-64', 'lm3split2', 'lm3split4', 'kv3+outliers2', 'kv3+outliers4', 'tq3', 'tq3.5', 'tq3.5split', 'kv2+qjl1', 'kv3+centre64']),
  'Keys of about 2 bits, values in f16': keysOnly(['kv2', 'lm2split2', 'lm2split4', 'lm2.5-64', 'tq2', 'tq2.5', 'tq2.5split']),
  'Keys without the exact bias and without balance, values in f16': keysOnly(['kv4', 'kv4+centre64', 'kv4+outliers4'], untransformed)
    .map(([name, how]) => [`${name}, plain`, how]),
  'Values, keys in f16': valuesOnly(['kv4', 'tq4', 'kv3', 'kv2', 'lm3split4', 'lm2split4', 'lm2-128', 'kv2_32', 'tq2', 'kv2+signs1', 'kv2+signs2']),
  'First and newest tokens in f16 (the shipped storage, in batches of 256)': [...newest('kv5', 'kv4', 9.25), ...newest('kv3', 'kv2', 5.25)],
};

/** Bits of a key, of a value or of both that a measurement is about, as the engine counts them; the f16 side of a simulation is left out. */
function bitsOf(how, output) {
  if (how.bits !== undefined) return how.bits;
  const said = Object.fromEntries([...output.matchAll(/loupe variants: (keys|values): ([\d.]+) bits/g)].map(([, side, bits]) => [side, Number(bits)]));
  const [bits] = ['keys', 'values'].map(side => said[side]).filter(one => one !== undefined && one < 32);
  if (said.keys === undefined || said.values === undefined || bits === undefined) throw new Error('The engine did not simulate the variant.');
  return bits;
}

async function main() {
  const { values: options } = parseArgs({ options: { models: { type: 'string' }, only: { type: 'string' }, chunks: { type: 'string', default: '2' }, base: { type: 'string' } } });
  const wanted = (options.models ?? 'Gemma 3 270M,Qwen2.5-Coder 1.5B').split(',');
  const only = options.only?.split(';');
  const chunks = Number(options.chunks);
  const file = fromRoot('docs', 'eval', 'kv-variants.json');
  const kept = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : {};
  await withPerplexity(options.base, async ({ hash, base, compare, forget }) => {
    for (const [name, { file: model }] of Object.entries(models).filter(([one]) => wanted.includes(one))) {
      await base(model, chunks);
      for (const [variant, how] of Object.values(groups).flat().filter(([one]) => only === undefined || only.includes(one))) {
        const { found, seconds, output } = await compare(model, how, chunks);
        (kept[name] ??= {})[variant] = { bits: bitsOf(how, output), chunks, corpus: hash, ...found };
        note(`${name}, ${variant}: ${kept[name][variant].bits} bits, KLD ${found.kld} ± ${found.kldError}, 99.9 % ${found.kld999} (${seconds.toFixed(0)} s)`);
        fs.writeFileSync(file, `${JSON.stringify(kept, undefined, 1)}\n`);
      }
      forget(model, chunks);
    }
  });
  render(kept, groups);
}

await main();
