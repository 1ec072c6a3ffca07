import { systemClock } from '../../../src/base/clock.js';
import { silentLogger } from '../../../src/base/logger.js';
import { SidecarSupervisor } from '../../../src/model/sidecar/supervisor.js';
import { sidecarEntry } from './harness.js';

/** A client in a process of its own, for tests that end it: argument 1 is the state folder; `leave` disposes at once. */
const [stateDir, mode] = process.argv.slice(2);
if (stateDir === undefined) throw new Error('usage: STATE_DIR [leave]');
const supervisor = new SidecarSupervisor({
  entry: sidecarEntry, execPath: process.execPath, stateDir, client: 'child', build: 'test', logger: silentLogger, clock: systemClock,
});
const hello = await supervisor.start();
if (!hello.ok) throw new Error(JSON.stringify(hello.error));
if (mode === 'leave') supervisor.dispose();
else process.send?.(hello.value.pid);
