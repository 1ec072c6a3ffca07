import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../base/clock.js';
import { ensureStateDir, removeAddress, sidecarFiles, writeAddress } from '../model/sidecar/stateFiles.js';
import { LlamaEngine } from './engine/llamaEngine.js';
import { SystemMemory } from './engine/memory.js';
import { Lifetime } from './lifetime.js';
import { listenOnFreeName } from '../model/localSocket.js';
import { FileLog } from './log.js';
import { SidecarServer } from './server.js';
import { defaultBudgetBytes, SnapshotStore } from './snapshots/store.js';

/** The promise is "gone within 10 s"; the rest is for ending. */
const idleMs = 7000;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { 'state-dir': { type: 'string' }, build: { type: 'string' } } });
  const stateDir = values['state-dir'];
  const build = values.build;
  if (stateDir === undefined || build === undefined) throw new Error('usage: --state-dir DIR --build ID');
  await ensureStateDir(stateDir);
  const files = sidecarFiles(stateDir, build);
  const clock = systemClock;
  const logger = new FileLog(files.log, process.env['LOUPE_LOG'] === 'debug' ? 'debug' : 'info', clock);
  process.on('uncaughtException', (error) => {
    logger.log('error', 'Ending after an unexpected error', { error: error.stack });
    end(1);
  });
  process.on('unhandledRejection', (reason) => {
    logger.log('error', 'Ending after an unexpected rejection', { error: reason instanceof Error ? reason.stack : String(reason) });
    end(1);
  });

  const limit = Number(process.env['LOUPE_MEMORY_LIMIT']);
  const memory = new SystemMemory(Number.isFinite(limit) && limit > 0 ? limit : undefined);
  const budget = Number(process.env['LOUPE_MEMORY_BUDGET']);
  const store = new SnapshotStore({
    dir: join(stateDir, 'memory'), keyFile: join(stateDir, 'memory.key'), budgetBytes: Number.isFinite(budget) && budget > 0 ? budget : defaultBudgetBytes, clock, logger,
  });
  const engine: LlamaEngine = new LlamaEngine({ memory, store, clock, logger, stockOnly: process.env['LOUPE_ENGINE'] === 'stock', onRoleState: (role, state) => server.broadcast(role, state) });
  const started = clock.monotonic();
  const token = randomBytes(32).toString('hex');
  const listener = createServer();
  const lifetime = new Lifetime(idleMs, () => end(0));
  const server: SidecarServer = new SidecarServer(listener, {
    token, build, lifetime, logger, info: () => engine.info(),
    services: {
      engine, logger,
      now: () => clock.now(),
      shutdown: () => end(0),
      status: async () => ({
        pid: process.pid, uptimeMs: clock.monotonic() - started, clients: lifetime.count, rssBytes: process.memoryUsage.rss(),
        queued: engine.queued, engine: await engine.info(), roles: engine.states,
      }),
    },
  });
  const socket = await listenOnFreeName(listener, stateDir, build);

  /** Kills itself: a regular exit would wait for native code in the middle of a batch, and nothing here needs saving. */
  function end(code: number): never {
    try {
      logger.log('info', 'Ending', { code });
      if (process.platform !== 'win32') rmSync(socket, { force: true });
      removeAddress(files.address, process.pid);
    } finally {
      process.kill(process.pid, 'SIGKILL');
    }
    process.exit(code);
  }
  process.on('SIGTERM', () => end(0));
  process.on('SIGINT', () => end(0));
  await writeAddress(files.address, { socket, token, pid: process.pid, build });
  logger.log('info', 'Listening', { pid: process.pid, node: process.version, socket });
  await engine.info();
}

main().catch((thrown: unknown) => {
  process.stderr.write(`${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}\n`);
  process.exit(1);
});
