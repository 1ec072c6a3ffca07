import path from 'node:path';
import { cached } from './cache.mjs';
import { npm } from './exec.mjs';
import { cacheRoot } from './paths.mjs';

const version = '4.139.1';

/**
 * Path of code-server's entry file: a real VS Code workbench that a browser shows, for machines without the desktop one.
 * Installed without its build scripts: what those would compile is needed for none of what we use.
 */
export async function ensureCodeServer() {
  const folder = path.join(cacheRoot(), `code-server-${version}`);
  await cached(`code-server ${version}`, folder, async work => {
    const quiet = ['--ignore-scripts', '--no-audit', '--no-fund'];
    await npm(['install', '--prefix', work, ...quiet, `code-server@${version}`], { cwd: work });
    const vscode = path.join(work, 'node_modules', 'code-server', 'lib', 'vscode');
    for (const cwd of [vscode, path.join(vscode, 'extensions')]) await npm(['install', '--omit=dev', ...quiet], { cwd });
    return path.join(work, 'node_modules');
  });
  return path.join(folder, 'code-server', 'out', 'node', 'entry.js');
}
