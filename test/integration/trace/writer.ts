import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from '../../../src/model/sidecar/stateFiles.js';
import { TraceStore } from '../../../src/trace/store.js';
import { events } from '../../unit/trace/turns.js';

/** A window of its own, as far as the trace store goes: FOLDER NAME TURNS KEEP stores that many turns and says what failed. */
const [folder, name, turns, keep] = process.argv.slice(2);
if (folder === undefined || name === undefined) throw new Error('usage: FOLDER NAME TURNS KEEP');
const store = new TraceStore({ folder, keepTurns: Number(keep), pid: process.pid, isAlive });
const failures: string[][] = [];
await store.recover();
for (let i = 0; i < Number(turns); i++) {
  const failed: string[] = [];
  for (const event of events(`${name}-${String(i).padStart(4, '0')}`)) {
    const result = await store.record(`${name}-${String(i).padStart(4, '0')}`, event.type === 'turnStarted' ? { ...event, at: Date.now() } : event);
    if (!result.ok) failed.push(result.error.message);
  }
  failures.push(failed);
  await sleep(Math.random() * 2);
}
const listed = await store.list();
process.stdout.write(JSON.stringify({ failures, listed: listed.ok ? listed.value.map(({ turnId }) => turnId) : listed.error }));
