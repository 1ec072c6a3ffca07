// Tests of the engine: ours of what connects native/kv with llama.cpp, and llama.cpp's own of our types. All are among the tools.
import fs from 'node:fs';
import path from 'node:path';
import { run } from '../exec.mjs';
import { note } from '../log.mjs';
import { ensureModels } from '../models.mjs';
import { ensureTools } from './build.mjs';
import { missingTools, niced } from './toolchain.mjs';

const limitMs = 15 * 60_000; // for one program; on a quiet machine the longest takes a minute

/** Models that the tests of the engine load. */
const models = ['gemma-3-270m', 'qwen2.5-coder-0.5b'];

/** Types and operations that are ours, or that our patches touch. */
const operations = ['FLASH_ATTN_EXT', 'SET_ROWS', 'CPY', 'MUL_MAT'];

/** How many tests an output tells of, as `{ passed, failed }`; undefined when it broke off before it said so. */
const counts = {
  ours: output => counted(/^(\d+) passed, (\d+) failed$/m.exec(output), ([, passed, failed]) => [passed, failed]),
  /** One line a type, and in the end, if any failed, how many checks did. */
  types: output => counted(/^Testing kv8_32$/m.exec(output) && [...output.matchAll(/^Testing /gm)], all => {
    const failed = Number(/^(\d+) tests failed$/m.exec(output)?.[1] ?? 0);
    return [Math.max(0, all.length - failed), failed];
  }),
  operations: output => counted(/^\s*(\d+)\/(\d+) tests passed$/m.exec(output), ([, passed, all]) => [passed, all - passed]),
};
const counted = (match, numbers) => {
  if (!match) return undefined;
  const [passed, failed] = numbers(match).map(Number);
  return { passed, failed };
};

/** Totals, as `{ passed, failed, skipped }`. Where the tools cannot be built all of it is one test that is skipped. */
export async function runEngineTests({ logs, grep }) {
  const missing = await missingTools();
  if (missing.length > 0) {
    note(`native: the tests of the engine are skipped, for want of ${missing.join(', ')}`);
    return { passed: 0, failed: 0, skipped: 1 };
  }
  const [first] = await ensureModels(models);
  const tools = await ensureTools();
  const totals = await runProgram(path.join(tools, 'loupe-engine-test'), [path.dirname(first), ...(grep ? [grep] : [])], { logs, count: counts.ours, none: Boolean(grep) });
  if (grep) return { ...totals, skipped: 0 };
  for (const [name, args, count] of [
    ['test-quantize-fns', [], counts.types],
    // The CPU backend against its reference implementation, which goes upstream's way, row by row through the type traits.
    ['test-backend-ops', ['-b', 'CPU', '-o', operations.join(','), '-p', 'kv[2-8]'], counts.operations],
  ]) {
    const more = await runProgram(path.join(tools, name), args, { logs, count });
    totals.passed += more.passed;
    totals.failed += more.failed;
    totals.failures = [...totals.failures ?? [], ...more.failures ?? []];
  }
  return { ...totals, skipped: 0 };
}

/** Runs one program. A run that ends without totals, or badly without a failed test, counts as a failure; one without a test too, unless `none` may be. */
async function runProgram(program, args, { logs, count, none = false }) {
  const name = path.basename(program), file = path.join(logs, `${name}.log`);
  const log = fs.openSync(file, 'w');
  const code = await run(...niced(program, args), { stdio: ['ignore', log, log], limitMs });
  fs.closeSync(log);
  const output = fs.readFileSync(file, 'utf8');
  const totals = count(output) ?? { passed: (output.match(/^ok /gm) ?? []).length, failed: 0 };
  if ((code !== 0 || (!none && totals.passed === 0)) && totals.failed === 0) totals.failed = 1;
  note(`native, ${name}: ${totals.passed} passed, ${totals.failed} failed`);
  if (totals.failed === 0) return totals;
  const rest = output.split('\n').filter(line => !/^ok |OK/.test(line));
  note(`exit status ${code}\n${rest.join('\n').slice(-8000)}`);
  return { ...totals, failures: [`${name}, exit status ${code}: ${rest.filter(line => /fail|not ok/i.test(line)).join(' | ').slice(0, 600)}`] };
}
