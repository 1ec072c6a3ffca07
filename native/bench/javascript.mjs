// What it costs to decode a token through node-llama-cpp's JavaScript, where the user is, beside llama.cpp's own llama-bench: the published
// binding, ours, and llama-bench of the patched engine take turns.
//
//   node native/bench/javascript.mjs [--model=file.gguf] [--threads=1,2] [--rounds=3] [--tokens=128]
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { capture } from '../../scripts/lib/exec.mjs';
import { ensureTools, loupeBuild } from '../../scripts/lib/native/build.mjs';
import { modelsDir } from '../../scripts/lib/paths.mjs';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string', default: 'gemma-3-270m-q4_k_m.gguf' }, threads: { type: 'string', default: '1,2' }, rounds: { type: 'string', default: '3' },
    tokens: { type: 'string', default: '128' }, child: { type: 'string' },
  },
});

/** ms for each decoded token after the first eight, with the first choice of the model each time. */
async function decode(binding, model, threads, tokens) {
  const { getLlama } = await import('node-llama-cpp');
  const build = { build: 'never', skipDownload: true, progressLogs: false, gpu: false, maxThreads: 0 };
  const llama = await getLlama(binding === 'ours' ? { ...build, cmakeOptions: loupeBuild, existingPrebuiltBinaryMustMatchBuildOptions: true } : build);
  const context = await (await llama.loadModel({ modelPath: model })).createContext({ contextSize: 1024, threads, flashAttention: true });
  const sequence = context.getSequence();
  let started = 0;
  let made = 0;
  for await (const _ of sequence.evaluate([2, 818, 5279, 529], { temperature: 0, yieldEogToken: true })) {
    if (++made === 8) started = performance.now();
    if (made === tokens + 8) break;
  }
  const ms = (performance.now() - started) / tokens;
  await llama.dispose();
  return ms;
}

const model = path.join(modelsDir(), options.model);
if (options.child !== undefined) {
  process.stdout.write(`ms=${await decode(options.child, model, Number(options.threads), Number(options.tokens))}\n`);
  process.exit(0); // the engine's threads would keep the process for a while
}

const bench = path.join(await ensureTools(), 'llama-bench');
const ways = {
  'published binding': threads => child('published', threads),
  'our binding': threads => child('ours', threads),
  'llama-bench': async threads => {
    const { code, output } = await capture(bench, ['-m', model, '-p', '0', '-n', options.tokens, '-t', String(threads), '-fa', '1', '-r', '1', '-o', 'json']);
    const speed = Number(/"avg_ts":\s*([\d.]+)/.exec(output)?.[1]);
    if (code !== 0 || !(speed > 0)) throw new Error(`llama-bench ended with ${code}\n${output.slice(-1000)}`);
    return 1000 / speed;
  },
};

async function child(binding, threads) {
  const { code, output } = await capture(process.execPath, [fileURLToPath(import.meta.url), `--child=${binding}`, `--model=${options.model}`, `--threads=${threads}`, `--tokens=${options.tokens}`]);
  const ms = Number(/ms=([\d.]+)/.exec(output)?.[1]);
  if (code !== 0 || !(ms > 0)) throw new Error(`The ${binding} binding ended with ${code}\n${output.slice(-1000)}`);
  return ms;
}

console.log(`| ${options.model}, ms per token, best of ${options.rounds} | ${Object.keys(ways).join(' | ')} |\n|---|${'---|'.repeat(Object.keys(ways).length)}`);
for (const threads of options.threads.split(',').map(Number)) {
  const best = Object.fromEntries(Object.keys(ways).map(name => [name, Infinity]));
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const [name, measure] of Object.entries(ways)) best[name] = Math.min(best[name], await measure(threads));
  }
  console.log(`| ${threads} thread${threads === 1 ? '' : 's'} | ${Object.values(best).map(ms => ms.toFixed(1)).join(' | ')} |`);
}
