import path from 'node:path';
import { cached } from './cache.mjs';
import { npm } from './exec.mjs';
import { cacheRoot } from './paths.mjs';

const version = '24.21.0';
const platforms = { win32: 'win', linux: 'linux', darwin: 'darwin' };

/** Path of a Node that can run the VS Code server (24 or newer): the running one, or one fetched from npm into the cache. */
export async function ensureNode24() {
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  const name = `node-${platforms[process.platform]}-${process.arch}`;
  const folder = path.join(cacheRoot(), `node-${version}-${process.platform}-${process.arch}`);
  await cached(`Node ${version}`, folder, async work => {
    await npm(['install', '--prefix', work, '--ignore-scripts', '--no-audit', '--no-fund', '--no-save', `${name}@${version}`], { cwd: work });
    return path.join(work, 'node_modules', name);
  });
  return path.join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
}
