import fs from 'node:fs';
import path from 'node:path';
import { capture, run } from './exec.mjs';
import { note } from './log.mjs';
import { fromRoot, root } from './paths.mjs';

const bin = (name, ...file) => fromRoot('node_modules', name, ...file);
const results = fromRoot('test-results');

/** One check that has no count of its own: one passed or one failed. */
async function check(command) {
  const code = await run(process.execPath, command);
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

/** Runs mocha over compiled test files; a run that ends without totals, or runs no test, counts as a failure. */
async function mocha(name, folder, args, env = {}) {
  const totals = path.join(results, `${name}.json`);
  fs.mkdirSync(results, { recursive: true });
  fs.rmSync(totals, { force: true });
  const code = await run(process.execPath, [
    bin('mocha', 'bin', 'mocha.js'), '--ui', 'tdd', '--forbid-only', '--reporter', fromRoot('scripts/lib/totalsReporter.cjs'), ...args,
    `${folder}/**/*.test.js`,
  ], { env: { ...process.env, LOUPE_TOTALS: totals, ...env } });
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

export const unit = () => mocha('unit', 'out/test/unit', ['--timeout', '10000']);

/** `--exit` is left out on purpose: a process or socket that a test leaves open hangs the run, and the guard ends it as a failure. */
export const integration = () => mocha('integration', 'out/test/integration', ['--timeout', '120000']);

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
  const { output } = await capture('git', ['ls-files', 'src', 'test', 'scripts']);
  const long = output.split('\n').filter(name => /\.(ts|tsx|mjs|cjs)$/.test(name) && fs.existsSync(fromRoot(name)))
    .map(name => ({ name, lines: fs.readFileSync(fromRoot(name), 'utf8').split('\n').length - 1 }))
    .filter(({ lines }) => lines > 300);
  for (const { name, lines } of long) note(`over 300 lines: ${name} (${lines})`);
}
