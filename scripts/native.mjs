// npm run native [-- tools] [-- --jobs number]: builds our native binding and puts it beside node-llama-cpp; `tools`: llama.cpp's programs from the same source.
import { parseArgs } from 'node:util';
import { ensureDependencies } from './lib/dependencies.mjs';
import { isMain, note, runMain, Stop } from './lib/log.mjs';

const cost = 'Loupe works with the prebuilt one of node-llama-cpp instead. What that costs: the presets of the KV cache below "exact" keep q8_0, about half\n'
  + 'the memory of f16 instead of a third and less, and long conversations are answered more slowly.';

/**
 * The folder of the binding in node_modules, built when it is not in the cache. Undefined where this machine cannot build it: then what is
 * missing is said, with what that costs, and the prebuilt binding serves. A build that fails throws, unless `orElseStock` is set: whoever
 * starts Loupe for the first time shall see it.
 */
export async function ensureNative({ jobs, orElseStock = false } = {}) {
  await ensureDependencies();
  const { missingTools } = await import('./lib/native/toolchain.mjs');
  const missing = await missingTools();
  if (missing.length > 0) {
    note(`Loupe's own engine is not built, for want of ${missing.join(', ')}.\n${cost}`);
    return undefined;
  }
  const { ensureBinding, installBinding } = await import('./lib/native/build.mjs');
  try {
    return await installBinding(await ensureBinding({ jobs }));
  } catch (error) {
    if (!orElseStock || !(error instanceof Stop)) throw error;
    note(`Loupe's own engine could not be built.\n${error.message}\n${cost}`);
    return undefined;
  }
}

async function main(args) {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { jobs: { type: 'string' } } });
  const jobs = values.jobs === undefined ? undefined : Number(values.jobs);
  if (positionals.length === 0) return void note((await ensureNative({ jobs })) ?? 'The prebuilt binding serves.');
  if (positionals.join() !== 'tools') {
    note('usage: native.mjs [tools] [--jobs number]');
    return 64;
  }
  await ensureDependencies();
  const { ensureTools } = await import('./lib/native/build.mjs');
  console.log(await ensureTools({ jobs }));
}

if (isMain(import.meta)) await runMain(main);
