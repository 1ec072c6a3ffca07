import fs from 'node:fs';
import path from 'node:path';
import { cached } from './cache.mjs';
import { npm } from './exec.mjs';
import { cacheRoot } from './paths.mjs';

const version = '2.12.0';

/** Path of the MCP inspector's entry file. In the cache, not in the checkout: with the web interface that it brings it is 111 MB. It runs on Node 24. */
export async function ensureInspector() {
  const folder = path.join(cacheRoot(), `mcp-inspector-${version}`);
  await cached(`MCP inspector ${version}`, folder, async work => {
    fs.mkdirSync(work, { recursive: true });
    await npm(['install', '--prefix', work, '--ignore-scripts', '--no-audit', '--no-fund', `@modelcontextprotocol/inspector@${version}`], { cwd: work });
    return work;
  });
  return path.join(folder, 'node_modules', '@modelcontextprotocol', 'inspector', 'clients', 'launcher', 'build', 'index.js');
}
