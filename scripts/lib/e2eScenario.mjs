// One scenario in a process of its own, as scripts/lib/e2e.mjs starts it: its arguments as JSON, its totals into the file that they name.
import fs from 'node:fs';
import { runMain } from './log.mjs';
import { runScenario } from './e2e.mjs';

await runMain(async ([json]) => {
  const { name, totals, options } = JSON.parse(json);
  fs.writeFileSync(totals, JSON.stringify(await runScenario(name, options)));
});
