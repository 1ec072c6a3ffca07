import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { rgPath } from '@vscode/ripgrep';
import { NodeWorkspace } from '../../src/agent/workspace/nodeWorkspace.js';
import { silentLogger } from '../../src/base/logger.js';
import { NodeGit } from '../../src/mcp/git/nodeGit.js';
import { toolsFor } from '../../src/mcp/tools/allTools.js';
import type { CallContext } from '../../src/mcp/tools/tool.js';
import { FolderWorkspace } from '../../src/mcp/workspace/folderWorkspace.js';
import { fakeWindow, openWindow } from '../support/mcp/fakeWindow.js';
import { callTool, overStdio, type Place } from '../support/mcp/served.js';

/**
 * What the MCP server costs: a call over warm standard input and output against the tool run in this process, in turns in one run, so that a
 * busy machine slows both; and the time from the start of the process to its answer to `tools/list`. A call through a window crosses two
 * processes more than the tool itself: its files are read by this one.
 */
const rounds = Number(process.env['LOUPE_BENCH_ROUNDS'] ?? 300);
const starts = 7;
const limitMs = 2;

/** The middle one: a pause of the machine spoils one round, not the figure. */
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

function report(name: string, value: number, limit?: number): void {
  console.log(JSON.stringify({ name, value: Number(value.toFixed(3)), unit: 'ms', ...(limit === undefined ? {} : { limit, pass: value <= limit }) }));
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

const base = await realpath(await mkdtemp(join(tmpdir(), 'loupe-bench-mcp-')));
const folder = join(base, 'app');
await mkdir(folder);
await writeFile(join(folder, 'a.ts'), Array.from({ length: 200 }, (_, i) => `export const value${i} = ${i};`).join('\n'));
const place = (...args: readonly string[]): Place => ({ args, folder, cache: join(base, 'cache') });
const server = await openWindow(join(base, 'cache', 'run'), folder, fakeWindow(folder, rgPath));
try {
  const tool = toolsFor(false).find(({ name }) => name === 'read_file');
  if (!tool) throw new Error('There is no read_file');
  const context: CallContext = {
    workspace: new FolderWorkspace(new NodeWorkspace(folder, rgPath), silentLogger), git: new NodeGit(folder), client: 'bench', call: '1', signal: new AbortController().signal, progress: () => undefined,
  };
  const args = { path: 'a.ts' };
  for (const [name, options] of [['a folder', ['--folder', folder]], ['a window', ['--window', folder]]] as const) {
    const client = await overStdio(place(...options));
    const own: number[] = [];
    const called: number[] = [];
    for (let round = -20; round < rounds; round++) {
      const [direct, through] = [() => timed(() => tool.run(args, context)), () => timed(() => callTool(client, 'read_file', args))];
      // Each first in every other round.
      const [a, b] = round % 2 === 0 ? [await direct(), await through()] : [await through(), await direct()].reverse() as [number, number];
      if (round < 0) continue;
      own.push(a);
      called.push(b);
    }
    report(`read_file in this process, median (beside ${name})`, median(own));
    report(`read_file of ${name} over warm stdio, median`, median(called));
    report(`a call to ${name} over the tool's own time, median`, median(called.map((value, i) => value - (own[i] ?? 0))), limitMs);
    await client.close();
  }
  const cold: number[] = [];
  const clients: Client[] = [];
  for (let i = 0; i < starts; i++) {
    cold.push(await timed(async () => {
      const client = await overStdio(place('--folder', folder));
      await client.listTools();
      clients.push(client);
    }));
  }
  await Promise.all(clients.map((client) => client.close()));
  report('from the start of the process to tools/list, best', Math.min(...cold));
  report('from the start of the process to tools/list, median', median(cold));
} finally {
  server.dispose();
  await rm(base, { recursive: true, force: true });
}
