import { TraceStore } from '../../../src/trace/store.js';
import { events } from './turns.js';

// Run as a process by store.test.ts: begins a turn and waits to be killed.
const folder = process.argv[2];
if (folder === undefined) throw new Error('usage: killedTurn <folder>');
const store = new TraceStore({ folder, keepTurns: 9, pid: process.pid, isAlive: () => true });
for (const event of events('killed').slice(0, 8)) await store.record('killed', event);
process.stdout.write('written\n');
setInterval(() => undefined, 1_000);
