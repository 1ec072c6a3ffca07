// npm test [-- suite ...] [--only scenario] [--grep text]: sets up what the suites need, runs them, prints the totals on the last line.
import { parseArgs } from 'node:util';
import { ensureDependencies } from './lib/dependencies.mjs';
import { note, runMain, step } from './lib/log.mjs';
import * as suites from './lib/suites.mjs';

const order = ['types', 'lint', 'unit', 'native', 'integration', 'e2e'];

async function main(args) {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { only: { type: 'string', multiple: true }, grep: { type: 'string' } } });
  const unknown = positionals.filter(name => !order.includes(name));
  if (unknown.length > 0) {
    note(`no suite named ${unknown.join(', ')}; there are ${order.join(', ')}`);
    return 64;
  }
  await ensureDependencies();
  const chosen = positionals.length > 0 ? order.filter(name => name === 'types' || positionals.includes(name)) : order;
  const all = [];
  for (const name of chosen) all.push([name, await runSuite(name, values)]);

  // Again at the end: the start of a long output is the first to be cut off.
  for (const [name, { failures = [] }] of all) for (const failure of failures) note(`failed in ${name}: ${failure.split('\n')[0]}`);
  for (const [name, { passed, failed, skipped }] of all) note(`${name}: ${passed} passed, ${failed} failed, ${skipped} skipped`);
  const sum = key => all.reduce((total, [, totals]) => total + totals[key], 0);
  console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
  return sum('failed') === 0 ? 0 : 1;
}

/** A suite that could not run counts as one failure. */
async function runSuite(name, options) {
  try {
    return await step(`suite ${name}`, () => suites[name](options));
  } catch (error) {
    note(`suite ${name} could not run: ${error.stack ?? error}`);
    return { passed: 0, failed: 1, skipped: 0, failures: [`could not run: ${error.message ?? error}`] };
  }
}

await runMain(main);
