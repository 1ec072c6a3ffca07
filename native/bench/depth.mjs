// How long one decoded token takes at a depth of the context, for upstream's caches and for the presets, as ratios within one run.
//
//   node native/bench/depth.mjs [--model=file.gguf|gemma4-e2b|...] [--depths=0,4096,16384] [--threads=1,2] [--rounds=3]
//
// A name of gemma4/gemma4.mjs is a model with random weights: its attention is that of the real one, the rest of it is small, so ratios tell of
// attention alone.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { capture } from '../../scripts/lib/exec.mjs';
import { ensureTools } from '../../scripts/lib/native/build.mjs';
import { modelsDir } from '../../scripts/lib/paths.mjs';
import { ensureGemma4, geometries } from './gemma4/gemma4.mjs';
import { growingBytes } from './qualityMemory.mjs';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string', default: 'qwen2.5-coder-1.5b-instruct-q4_k_m.gguf' }, depths: { type: 'string', default: '0,4096,8192,16384' },
    threads: { type: 'string', default: '2' }, rounds: { type: 'string', default: '3' },
  },
});
const caches = ['stock:f16/f16', 'stock:q8_0/q8_0', 'stock:q4_0/q4_0', 'f16/f16', 'kv8/kv5', 'kv5/kv4', 'kv43m/kv3', 'kv3m/kv2'];
const context = Math.max(...options.depths.split(',').map(Number)) + 512;

const model = Object.hasOwn(geometries, options.model) ? await ensureGemma4(options.model) : path.join(modelsDir(), options.model);
const program = path.join(await ensureTools(), 'loupe-depth');
const { code, output } = await capture(program, [model, String(context), '8', options.rounds, options.depths, options.threads, ...caches]);
const json = output.slice(output.indexOf('{"isa"'));
if (code !== 0 || json === '') throw new Error(`loupe-depth ended with ${code}\n${output.slice(-2000)}`);

const { isa, depths, runs } = JSON.parse(json);
const bytes = await growingBytes(model, caches);
const deep = depths.map((depth, i) => [depth, i]).filter(([depth]) => depth > 0);
const shallow = depths.indexOf(0);
for (const { threads, bandwidth_gb_s: bandwidth, ms_per_token: times } of runs) {
  console.log(`\n${options.model}, ${isa}, ${threads} threads, ${bandwidth} GB/s read: ms per token (times as fast as upstream's f16)\n`);
  console.log(`| cache | ${depths.join(' | ')} |\n|---|${depths.map(() => '---|').join('')}`);
  const base = times['stock:f16/f16'];
  for (const [name, row] of Object.entries(times)) {
    console.log(`| ${name} | ${row.map((ms, i) => `${ms.toFixed(1)} (${(base[i] / ms).toFixed(2)})`).join(' | ')} |`);
  }
  if (shallow < 0) continue;
  // What a depth adds to a token, beside the time in which the memory could give the bytes that it adds.
  console.log(`\nattention, ms (times the memory floor)\n\n| cache | ${deep.map(([depth]) => depth).join(' | ')} |\n|---|${deep.map(() => '---|').join('')}`);
  for (const [name, row] of Object.entries(times)) {
    const cells = deep.map(([depth, i]) => {
      const [spent, floor] = [row[i] - row[shallow], (depth * bytes[name]) / bandwidth / 1e6];
      return `${spent.toFixed(1)} (${(spent / floor).toFixed(1)})`;
    });
    console.log(`| ${name} | ${cells.join(' | ')} |`);
  }
}
