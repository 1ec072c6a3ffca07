import fs from 'node:fs';
import path from 'node:path';
import { cached } from './cache.mjs';
import { npm } from './exec.mjs';
import { cacheRoot } from './paths.mjs';

/** Folder of one version of a package as it is published, without what it depends on; fetched into the cache, never into the checkout. */
export async function ensurePackage(name, version) {
  const folder = path.join(cacheRoot(), 'packages', `${name}-${version}`);
  await cached(`${name} ${version}`, folder, async work => {
    fs.mkdirSync(work, { recursive: true });
    await npm(['install', '--prefix', work, '--ignore-scripts', '--no-audit', '--no-fund', '--no-save', `${name}@${version}`], { cwd: work });
    return path.join(work, 'node_modules', name);
  });
  return folder;
}
