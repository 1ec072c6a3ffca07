// npm run bench [-- name ...]: runs test/bench/<name>.ts one by one and prints their measurements as JSON, then as a table. Without names all but `memory`,
// which reads long prompts for half an hour.
import fs from 'node:fs';
import { build } from './build.mjs';
import { ensureDependencies } from './lib/dependencies.mjs';
import { capture, mustRun } from './lib/exec.mjs';
import { note, runMain, step } from './lib/log.mjs';
import { ensureModels } from './lib/models.mjs';
import { fromRoot } from './lib/paths.mjs';
import { testModels } from './lib/testModels.mjs';
import { ensureNative } from './native.mjs';

/**
 * A bench prints one line of JSON per measurement, `{ "name", "value", "unit", "limit"?, "pass"? }`; other lines are for the
 * reader. `pass: false` fails the run.
 */
function measurements(output) {
  return output.split('\n').flatMap(line => {
    if (!line.startsWith('{')) return [];
    try {
      return [JSON.parse(line)];
    } catch {
      return [];
    }
  });
}

await runMain(async args => {
  await ensureDependencies();
  await step('compile', () => mustRun('tsc', process.execPath, [fromRoot('node_modules', 'typescript', 'bin', 'tsc'), '-b']));
  await ensureNative();
  await build();
  await ensureModels(Object.keys(testModels));

  const folder = fromRoot('out', 'test', 'bench');
  const names = fs.readdirSync(folder).filter(file => file.endsWith('.js')).map(file => file.slice(0, -'.js'.length));
  const chosen = args.length > 0 ? args : names.filter(name => name !== 'memory');
  const all = [];
  let broken = 0;
  for (const name of chosen) {
    const { code, output } = await step(`bench ${name}`, () => capture(process.execPath, ['--expose-gc', fromRoot('out', 'test', 'bench', `${name}.js`)]));
    const found = measurements(output).map(one => ({ bench: name, ...one }));
    if (code !== 0 || found.length === 0) {
      broken += 1;
      note(`bench ${name} ended with exit status ${code}:\n${output.slice(-4000)}`);
    }
    all.push(...found);
  }
  fs.mkdirSync(fromRoot('test-results'), { recursive: true });
  fs.writeFileSync(fromRoot('test-results', 'bench.json'), `${JSON.stringify(all, undefined, 2)}\n`);
  console.log(JSON.stringify(all));
  console.table(all.map(({ bench, name, value, unit, limit, pass }) => ({ bench, name, value, unit, limit, pass })));
  return broken > 0 || all.some(one => one.pass === false) ? 1 : 0;
});
