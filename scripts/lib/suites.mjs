import fs from 'node:fs';
import path from 'node:path';
import { build } from '../build.mjs';
import { ensureNative } from '../native.mjs';
import { packageExtension } from '../package.mjs';
import { ensureBubblewrap } from './bubblewrap.mjs';
import { runScenarios } from './e2e.mjs';
import { capture, run } from './exec.mjs';
import { ensureInspector } from './inspector.mjs';
import { ensureLlamaServer } from './llamaServer.mjs';
import { note } from './log.mjs';
import { ensureModels } from './models.mjs';
import { ensureTools } from './native/build.mjs';
import { missingTools } from './native/toolchain.mjs';
import { ensureNode24 } from './newerNode.mjs';
import { runNativeTests } from './nativeTests.mjs';
import { cacheRoot, fromRoot, root } from './paths.mjs';
import { testModels } from './testModels.mjs';

const bin = (name, ...file) => fromRoot('node_modules', name, ...file);
const results = fromRoot('test-results');

const added = all => all.reduce((sum, { passed, failed, skipped, failures = [] }) => ({
  passed: sum.passed + passed, failed: sum.failed + failed, skipped: sum.skipped + skipped, failures: [...sum.failures, ...failures],
}), { passed: 0, failed: 0, skipped: 0, failures: [] });

/** One check that has no count of its own: one passed or one failed. */
async function check(command) {
  const code = await run(process.execPath, command);
  return code === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0, failures: [`exit status ${code}`] };
}

/**
 * Runs mocha over compiled test files, of some `folders` of a suite or of all `but` some; a run that ends without totals, or runs no test, counts as a failure.
 * `beside`: it runs beside another part of the suite, and its output comes when it is done.
 */
async function mocha(name, { timeout, limitMinutes, grep, folders = ['.'], but = [], beside = false }) {
  const part = beside ? `${name}-beside` : name;
  const totals = path.join(results, `${part}.json`);
  fs.mkdirSync(results, { recursive: true });
  fs.rmSync(totals, { force: true });
  // No --exit: a socket or process that a test leaves open keeps mocha from ending, and past the limit that is a failure.
  const file = path.join(results, `${part}.log`);
  const log = beside ? fs.openSync(file, 'w') : undefined;
  const code = await run(process.execPath, [
    bin('mocha', 'bin', 'mocha.js'), '--ui', 'tdd', '--forbid-only', '--timeout', String(timeout),
    '--reporter', fromRoot('scripts/lib/totalsReporter.cjs'), ...(grep ? ['--grep', grep] : []), ...but.flatMap(folder => ['--ignore', `out/test/${name}/${folder}/**`]),
    ...folders.map(folder => path.posix.join('out/test', name, folder, '**/*.test.js')),
  ], { env: { ...process.env, LOUPE_TOTALS: totals }, limitMs: limitMinutes * 60_000, ...(beside && { stdio: ['ignore', log, log] }) });
  if (beside) {
    fs.closeSync(log);
    process.stdout.write(fs.readFileSync(file, 'utf8'));
  }
  const counted = fs.existsSync(totals) ? JSON.parse(fs.readFileSync(totals, 'utf8')) : { passed: 0, failed: 0, skipped: 0, failures: [] };
  const broken = (code !== 0 && counted.failed === 0) || counted.passed + counted.failed === 0;
  if (!broken) return counted;
  const failure = `mocha ended with exit status ${code} after ${counted.passed} passed tests`;
  note(`${name}: ${failure}`);
  return { ...counted, failed: counted.failed + 1, failures: [...counted.failures, failure] };
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

/** The KV cache library in native/kv, on every instruction set that is there, under sanitizers and on an emulated AArch64; the engine around it; and that with Gemma 4's attention. */
export async function native({ grep }) {
  const library = await runNativeTests({ cacheRoot: cacheRoot(), logs: path.join(results, 'native'), grep });
  const missing = await missingTools();
  if (missing.length > 0) {
    note(`native: Gemma 4 is not tested, for want of ${missing.join(', ')}`);
    return { ...library, skipped: library.skipped + 1 };
  }
  // Outside the time limits of the tests.
  await ensureNative();
  await ensureTools();
  const engine = await mocha('native', { timeout: 600_000, limitMinutes: 40, grep });
  return added([library, engine]);
}

/**
 * Of the integration tests, those whose models take all threads, which spin while they wait for each other, or whose answers may depend on the speed of the machine:
 * nothing runs beside them. Last the one that fits its prompts to that speed.
 */
const alone = ['snapshots', 'model', 'cli', 'languageServer'];

/** Real processes and real models, from the bundles in dist. What has no model mostly waits, so it runs beside the sidecar's tests, whose models have one thread. */
export async function integration({ grep }) {
  await build();
  await ensureModels(Object.keys(testModels));
  await ensureLlamaServer({ cacheRoot: cacheRoot() });
  await ensureNative();
  await ensureNode24();
  await ensureInspector();
  await ensureBubblewrap();
  const options = { timeout: 120_000, limitMinutes: 20, grep };
  if (grep) return mocha('integration', options); // one of the halves may have no such test
  const first = await Promise.all([
    mocha('integration', { ...options, folders: ['sidecar'] }), mocha('integration', { ...options, but: ['sidecar', ...alone], beside: true }),
  ]);
  return added([...first, await mocha('integration', { ...options, folders: alone })]);
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
