import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, appendFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { systemClock } from '../../src/base/clock.js';
import { toDisposable } from '../../src/base/disposable.js';
import { silentLogger } from '../../src/base/logger.js';
import { IndexService } from '../../src/context/index/indexService.js';
import type { TokenCounter } from '../../src/context/plan/tokenCounter.js';
import { nodeSqlite, openStore } from '../../src/context/store/sqliteStore.js';
import { TreeSitterParser } from '../../src/context/symbols/parser.js';
import { estimateTokens } from '../../src/model/endpoint/tokenEstimate.js';
import type { MemoryPlan } from '../../src/protocol/context.js';
import { wasmFile } from '../support/context/wasm.js';
import { root } from '../support/workbench/paths.js';

/**
 * What the index of real packages costs: cold, after a restart, after an edit; how long it holds up the process; and how much of a plan stays as it is after edits. Runs under a Node
 * with SQLite, as VS Code has it. Tokens are estimated, so that no model is needed.
 */
const repositories: readonly (readonly [name: string, packages: readonly string[]])[] = [
  ['small', ['mocha']],
  ['middle', ['eslint', 'mocha']],
  ['large', ['typescript', 'eslint', 'mocha', 'zod', '@typescript-eslint']],
];
const budget = 64_000;
const never = new AbortController().signal;
const counter: TokenCounter = { id: 'estimate', countTokens: async (texts) => texts.map(estimateTokens) };

if (nodeSqlite() === undefined) {
  const { ensureNode24 } = await import(pathToFileURL(path.join(root, 'scripts', 'lib', 'newerNode.mjs')).href) as { ensureNode24(): Promise<string> };
  process.exit(spawnSync(await ensureNode24(), [fileURLToPath(import.meta.url)], { stdio: 'inherit' }).status ?? 1);
}

for (const [name, packages] of repositories) {
  const base = mkdtempSync(path.join(tmpdir(), 'loupe-bench-'));
  try {
    for (const one of packages) cpSync(path.join(root, 'node_modules', one), path.join(base, 'repository', one), { recursive: true });
    await measure(name, path.join(base, 'repository'), path.join(base, 'index.sqlite'));
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

async function measure(name: string, folder: string, store: string): Promise<void> {
  let changed: (paths: readonly string[]) => void = () => undefined;
  const start = (): IndexService => new IndexService({
    openStore: () => openStore(store, silentLogger), removeStore: () => undefined, parser: new TreeSitterParser(wasmFile, silentLogger),
    files: { watch: (_, onChange) => {
      changed = onChange;
      return toDisposable(() => undefined);
    } },
    openFiles: () => [], changeCounts: async () => new Map(), clock: systemClock, logger: silentLogger,
  });
  const timed = async (what: string, service: IndexService, limit?: number): Promise<MemoryPlan> => {
    const blocked = watchLoop();
    const from = performance.now();
    const plan = await service.plan(folder, counter, { budget, keep: false }, never);
    report(`${name}: ${what}`, performance.now() - from, 'ms', limit);
    report(`${name}: ${what}, longest hold`, blocked(), 'ms');
    return plan;
  };
  let service = start();
  const cold = await timed('index and plan, cold', service);
  const state = service.status(folder);
  if (state.state !== 'ready') throw new Error(`the index is ${state.state}`);
  report(`${name}: files`, state.report.files, 'files');
  report(`${name}: parsed`, state.report.parsed, 'files');
  report(`${name}: tokens of the plan, ${cold.mode}`, cold.tokens, 'tokens', budget);
  report(`${name}: whole files`, cold.files.whole, 'files');
  report(`${name}: files in the map`, cold.files.mapped, 'files');
  service.dispose();

  service = start();
  const warm = await timed('plan after a restart', service);
  report(`${name}: same bytes after a restart`, Number(JSON.stringify(warm.blocks) === JSON.stringify(cold.blocks)), '', undefined, 1);
  const shown = cold.blocks.filter(({ kind }) => kind === 'file').flatMap(({ path: one }) => one ?? []);
  for (const edits of [1, 5, 20]) {
    const edited = shown.slice(0, edits);
    for (const one of edited) appendFileSync(path.join(folder, one), '\n// edited\n');
    changed(edited);
    const plan = await timed(`plan after an edit in ${edited.length} files`, service);
    report(`${name}: tokens kept after that`, 100 * plan.unchangedTokens / cold.tokens, '%', undefined, edits === 1 ? 99 : undefined);
  }
  service.dispose();
}

/** The longest time for which nothing else ran, in milliseconds. */
function watchLoop(): () => number {
  let longest = 0;
  let last = performance.now();
  let running = true;
  const tick = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (running) setImmediate(tick);
  };
  setImmediate(tick);
  return () => {
    running = false;
    return Math.max(longest, performance.now() - last);
  };
}

function report(name: string, raw: number, unit: string, most?: number, least?: number): void {
  const value = Math.round(raw * 10) / 10;
  const limit = most ?? least;
  console.log(JSON.stringify({ name, value, unit, ...(limit === undefined ? {} : { limit, pass: most === undefined ? value >= limit : value <= limit }) }));
}
