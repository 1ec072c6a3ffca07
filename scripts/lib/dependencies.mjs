import fs from 'node:fs';
import { withLock } from './cache.mjs';
import { npm } from './exec.mjs';
import { note, step } from './log.mjs';
import { fromRoot } from './paths.mjs';

const installed = fromRoot('node_modules', '.package-lock.json');

/** True when node_modules was installed from this package-lock.json or a later state of it. */
function upToDate() {
  try {
    const wanted = JSON.parse(fs.readFileSync(fromRoot('package-lock.json'), 'utf8')).packages;
    const have = JSON.parse(fs.readFileSync(installed, 'utf8')).packages;
    return Object.entries(wanted).every(([name, entry]) => name === '' || entry.optional || have[name]?.version === entry.version);
  } catch {
    return false;
  }
}

/** `npm ci` when node_modules is missing or does not match the lock file. No install script runs. */
export async function ensureDependencies() {
  if (upToDate()) return;
  if (fs.lstatSync(fromRoot('node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) {
    note('node_modules is a link into another checkout and does not match package-lock.json: install it there.');
    return;
  }
  await withLock(fromRoot('.npm-ci.lock'), async () => {
    if (!upToDate()) await step('npm ci', () => npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund']));
  });
}
