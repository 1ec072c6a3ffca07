import fs from 'node:fs';
import path from 'node:path';
import { build } from '../build.mjs';
import { packageExtension } from '../package.mjs';
import { runScenarios } from './e2e.mjs';
import { capture, run } from './exec.mjs';
import { ensureLlamaServer } from './llamaServer.mjs';
import { note } from './log.mjs';
import { ensureModels } from './models.mjs';
import { runNativeTests } from './nativeTests.mjs';
import { cacheRoot, fromRoot, root } from './paths.mjs';
import { testModels } from './testModels.mjs';

const bin = (name, ...file) => fromRoot('node_modules', name, ...file);
const results = fromRoot('test-results');

/** One check that has no count of its own: one passed or one failed. */
async function check(command) {
  const code = await run(process.execPath, command);
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

/** Runs mocha over compiled test files; a run that ends without totals, or runs no test, counts as a failure. */
async function mocha(name, { timeout, limitMinutes, grep }) {
  const totals = path.join(results, `${name}.json`);
  fs.mkdirSync(results, { recursive: true });
  fs.rmSync(totals, { force: true });
  // No --exit: a socket or process that a test leaves open keeps mocha from ending, and past the limit that is a failure.
  const code = await run(process.execPath, [
    bin('mocha', 'bin', 'mocha.js'), '--ui', 'tdd', '--forbid-only', '--timeout', String(timeout),
    '--reporter', fromRoot('scripts/lib/totalsReporter.cjs'), ...(grep ? ['--grep', grep] : []), `out/test/${name}/**/*.test.js`,
  ], { env: { ...process.env, LOUPE_TOTALS: totals }, limitMs: limitMinutes * 60_000 });
  const counted = fs.existsSync(totals) ? JSON.parse(fs.readFileSync(totals, 'utf8')) : { passed: 0, failed: 0, skipped: 0 };
  const broken = (code !== 0 && counted.failed === 0) || counted.passed + counted.failed === 0;
  if (broken) note(`${name}: mocha ended with exit status ${code} after ${counted.passed} passed tests.`);
  return broken ? { ...counted, failed: counted.failed + 1 } : counted;
}

export async function types() {
  // Compiled tests of a renamed file would run on: what has no source goes.
  removeOrphans(fromRoot('out'));
  return check([bin('typescript', 'bin', 'tsc'), '-b']);
}

export async function lint() {
  const totals = await check([bin('eslint', 'bin', 'eslint.js'), '.', '--max-warnings', '0']);
  await reportLongFiles();
  return totals;
}

export const unit = ({ grep }) => mocha('unit', { timeout: 10_000, limitMinutes: 5, grep });

/** The KV cache library in native/kv, on every instruction set that is there, under sanitizers and on an emulated AArch64. */
export const native = ({ grep }) => runNativeTests({ cacheRoot: cacheRoot(), logs: path.join(results, 'native'), grep });

/** Real processes and real models, from the bundles in dist. */
export async function integration({ grep }) {
  await build();
  await ensureModels(Object.keys(testModels));
  await ensureLlamaServer({ cacheRoot: cacheRoot() });
  return mocha('integration', { timeout: 120_000, limitMinutes: 20, grep });
}

/** The packaged extension in a real workbench. */
export async function e2e({ grep, only }) {
  await ensureModels(Object.keys(testModels));
  return runScenarios({ vsix: await packageExtension(), only, grep });
}

function removeOrphans(folder) {
  if (!fs.existsSync(folder)) return;
  for (const entry of fs.readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.js')) continue;
    const file = path.join(entry.parentPath, entry.name);
    const source = path.join(root, path.relative(folder, file)).slice(0, -'.js'.length);
    if (fs.existsSync(`${source}.ts`) || fs.existsSync(`${source}.tsx`)) continue;
    for (const ending of ['.js', '.js.map', '.d.ts', '.d.ts.map']) fs.rmSync(file.slice(0, -'.js'.length) + ending, { force: true });
  }
}

/** Names files over 300 lines: a request to look, not a failure. */
async function reportLongFiles() {
  const { output } = await capture('git', ['ls-files', 'src', 'test', 'scripts', 'native']);
  const long = output.split('\n').filter(name => /\.(ts|tsx|mjs|cjs|h|cpp)$/.test(name) && fs.existsSync(fromRoot(name)))
    .map(name => ({ name, lines: fs.readFileSync(fromRoot(name), 'utf8').split('\n').length - 1 }))
    .filter(({ lines }) => lines > 300);
  for (const { name, lines } of long) note(`over 300 lines: ${name} (${lines})`);
}
