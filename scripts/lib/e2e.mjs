import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureChromium } from './chromium.mjs';
import { ensureCodeServer } from './codeServer.mjs';
import { capture } from './exec.mjs';
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

const load = name => import(pathToFileURL(fromRoot('out', 'test', 'support', 'workbench', name)).href);

/**
 * Runs the scenarios in test/e2e against the packaged extension: in desktop VS Code when LOUPE_E2E_HOST is `desktop`
 * (needs a network and a display), else in the browser workbench. There two run at a time where the machine can, one with a model and one without: what has no
 * model mostly waits for a workbench, what has one for the processor. Then a scenario's output comes when it is done.
 */
export async function runScenarios({ vsix, only = [], grep }) {
  await bundleTests();
  const { loadScenarios } = await load('scenario.js');
  const scenarios = await loadScenarios(only);
  const options = { vsix, models: modelsDir(), ...(grep && { grep }) };
  const one = scenarios.length === 1 || process.env.LOUPE_E2E_HOST === 'desktop' || !takesTwo();
  if (!one) await ensureTools(); // not twice at once
  const lanes = one ? [scenarios] : [scenarios.filter(withModel), scenarios.filter(named => !withModel(named))];
  const all = await Promise.all(lanes.map(lane => runLane(lane, one ? runScenario : runApart, options)));
  const { add, nothing } = await load('phase.js');
  return all.flat().reduce(add, nothing);
}

/**
 * On two cores whose instructions have no products of bytes (VNNI) a model takes both for so long that the views of two workbenches did not appear within the
 * time that tests wait for them (scenario `chat`: 527 s and three failures beside another one, 242 s and none by itself).
 */
function takesTwo() {
  if (os.availableParallelism() > 2 || process.platform !== 'linux' || process.arch !== 'x64') return true;
  return /\bavx(512)?_vnni\b/.test(fs.readFileSync('/proc/cpuinfo', 'utf8'));
}

const withModel = ({ scenario }) => scenario.models !== 'none' && scenario.trust !== 'restricted';

async function runLane(scenarios, runOne, options) {
  const all = [];
  for (const { name } of scenarios) {
    const started = performance.now();
    try {
      all.push(await runOne(name, options));
    } catch (error) {
      note(`${name} could not run: ${error.stack ?? error}`);
      all.push({ passed: 0, failed: 1, skipped: 0, failures: [`${name} could not run: ${error.message ?? error}`] });
    }
    note(`${name}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  }
  return all;
}

/** In a process of its own, so that the output of two scenarios is not mixed. */
async function runApart(name, options) {
  const totals = fromRoot('test-results', `e2e-${name}.json`);
  fs.mkdirSync(path.dirname(totals), { recursive: true });
  fs.rmSync(totals, { force: true });
  const { code, output } = await capture(process.execPath, [fromRoot('scripts', 'lib', 'e2eScenario.mjs'), JSON.stringify({ name, totals, options })]);
  process.stdout.write(output);
  if (!fs.existsSync(totals)) throw new Error(`its process ended with exit status ${code}`);
  return JSON.parse(fs.readFileSync(totals, 'utf8'));
}

/** Runs one scenario in this process. */
export async function runScenario(name, options) {
  const [named] = await (await load('scenario.js')).loadScenarios([name]);
  if (process.env.LOUPE_E2E_HOST === 'desktop') return (await load('desktopRun.js')).runOnDesktop(named, options);
  return (await load('browserRun.js')).runInBrowser(named, await ensureTools(), options);
}

const ensureTools = async () => ({ codeServer: await ensureCodeServer(), node: await ensureNode24(), chromium: await ensureChromium() });
