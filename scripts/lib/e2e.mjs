import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureChromium } from './chromium.mjs';
import { ensureCodeServer } from './codeServer.mjs';
import { note } from './log.mjs';
import { ensureNode24 } from './newerNode.mjs';
import { fromRoot, modelsDir } from './paths.mjs';

/** One CommonJS file per phase, so that any extension host can load it; Mocha's globals and `vscode` come from the host. */
async function bundleTests() {
  const esbuild = await import('esbuild');
  const folder = fromRoot('test', 'e2e');
  const entryPoints = fs.readdirSync(folder, { recursive: true }).filter(file => file.endsWith('.test.ts')).map(file => path.join(folder, file));
  await esbuild.build({
    entryPoints, outdir: fromRoot('out', 'e2e'), outbase: folder, outExtension: { '.js': '.cjs' },
    bundle: true, platform: 'node', format: 'cjs', target: 'node22', external: ['vscode'], sourcemap: 'inline', logLevel: 'warning',
  });
}

/**
 * Runs the scenarios in test/e2e against the packaged extension: in desktop VS Code when LOUPE_E2E_HOST is `desktop`
 * (needs a network and a display), else in the browser workbench.
 */
export async function runScenarios({ vsix, only = [], grep }) {
  await bundleTests();
  const load = name => import(pathToFileURL(fromRoot('out', 'test', 'support', 'workbench', name)).href);
  const { loadScenarios } = await load('scenario.js');
  const { add, nothing } = await load('phase.js');
  const options = { vsix, models: modelsDir(), ...(grep && { grep }) };
  const runOne = await chooseHost(load, options);
  let totals = nothing;
  for (const named of await loadScenarios(only)) {
    const started = performance.now();
    try {
      totals = add(totals, await runOne(named));
    } catch (error) {
      note(`${named.name} could not run: ${error.stack ?? error}`);
      totals = add(totals, { passed: 0, failed: 1, skipped: 0 });
    }
    note(`${named.name}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  }
  return totals;
}

async function chooseHost(load, options) {
  if (process.env.LOUPE_E2E_HOST === 'desktop') {
    const { runOnDesktop } = await load('desktopRun.js');
    return named => runOnDesktop(named, options);
  }
  const tools = { codeServer: await ensureCodeServer(), node: await ensureNode24(), chromium: await ensureChromium() };
  const { runInBrowser } = await load('browserRun.js');
  return named => runInBrowser(named, tools, options);
}
