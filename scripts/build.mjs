// npm run build [-- --watch | --production]: bundles every process and webview into dist/.
import fs from 'node:fs';
import path from 'node:path';
import { bundleOptions, copyGrammars, copyRipgrep } from './lib/bundles.mjs';
import { isMain, note, runMain, step } from './lib/log.mjs';

/** Builds all bundles once. Returns esbuild's metafiles by bundle name. */
export async function build({ production = false } = {}) {
  const esbuild = await import('esbuild');
  return step(production ? 'build (production)' : 'build', async () => {
    const [results] = await Promise.all([
      Promise.all(bundleOptions(production).map(async ({ name, options }) => [name, await esbuild.build({ ...options, write: false })])),
      copyRipgrep(),
      copyGrammars(),
    ]);
    for (const [, { outputFiles }] of results) for (const file of outputFiles) writeIfChanged(file.path, file.contents);
    return Object.fromEntries(results.map(([name, result]) => [name, result.metafile]));
  });
}

/** What is unchanged keeps its time: a sidecar that runs is shared by every client of the same build. */
function writeIfChanged(file, contents) {
  if (fs.existsSync(file) && fs.readFileSync(file).equals(contents)) return;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, contents);
}

async function watch() {
  const esbuild = await import('esbuild');
  await copyRipgrep();
  await copyGrammars();
  for (const { options } of bundleOptions(false)) {
    const context = await esbuild.context({ ...options, logLevel: 'info' });
    await context.watch();
  }
  note('watching; end with Ctrl+C');
}

async function main(args) {
  const { ensureDependencies } = await import('./lib/dependencies.mjs');
  await ensureDependencies();
  if (args.includes('--watch')) return watch();
  await build({ production: args.includes('--production') });
}

if (isMain(import.meta)) await runMain(main);
