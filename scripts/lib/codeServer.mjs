import fs from 'node:fs';
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
    const tree = path.join(work, 'tree');
    fs.mkdirSync(tree, { recursive: true });
    await npm(['install', '--prefix', tree, ...quiet, `code-server@${version}`], { cwd: tree });
    const vscode = path.join(tree, 'node_modules', 'code-server', 'lib', 'vscode');
    for (const cwd of [vscode, path.join(vscode, 'extensions')]) await npm(['install', '--omit=dev', ...quiet], { cwd });
    return tree;
  });
  return path.join(folder, 'node_modules', 'code-server', 'out', 'node', 'entry.js');
}
