import assert from 'node:assert/strict';
import { appendFileSync, readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import * as vscode from 'vscode';
import { answered, ask, chat, openChat } from '../support/chatPage.js';
import { useScriptedModel } from '../support/scriptedModel.js';

const turns = 5;
const resolutionMs = 1;
const limitMs = 16;

/** Longest time between two turns of the extension host's event loop while `work` runs, in milliseconds. */
async function longestBlock(work: () => Promise<unknown>): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  await work();
  delay.disable();
  return delay.max / 1e6 - resolutionMs;
}

/** Into the file that the terminal reads: the console of the extension host goes to the workbench. */
function report(measurement: Readonly<Record<string, unknown>>): void {
  const { results } = JSON.parse(readFileSync(process.env['LOUPE_E2E_PLAN'] ?? '', 'utf8')) as { results: string };
  appendFileSync(`${results}.log`, `${JSON.stringify(measurement)}\n`);
}

/** A long answer with code, which is streamed word by word. */
const paragraph = 'The store keeps a list for each parcel, and a status that is final is never followed by another one.\n\n```ts\nconst last = history.at(-1);\n```\n\n';
const long = paragraph.repeat(60);
const looks = [
  { call: 'search_text', arguments: { pattern: 'status' } }, { call: 'read_file', arguments: { path: 'src/tracking/parcelStore.ts' } },
  { call: 'find_symbol', arguments: { name: 'ParcelStore' } },
] as const;

suite('the extension host during a turn (scripted endpoint, three tool calls, a long answer)', function () {
  this.timeout(170_000);

  test('how long it is blocked', async () => {
    const server = await useScriptedModel((messages) => looks[messages.slice(messages.findLastIndex(({ role }) => role === 'user')).filter(({ role }) => role === 'tool').length] ?? { text: long });
    await openChat();
    await ask('hello'); // what is loaded on first use is measured by the activation bench
    await answered();
    const idle = await longestBlock(() => new Promise((resolve) => setTimeout(resolve, 3_000)));
    const blocks: number[] = [];
    for (let i = 0; i < turns; i++) {
      await vscode.commands.executeCommand('loupe.newChat');
      await chat.waitFor('.empty');
      blocks.push(await longestBlock(async () => {
        await ask(`Question ${i}`);
        assert.match(await answered(), /answered/);
      }));
    }
    await server.close();
    const best = Math.min(...blocks);
    const line = (name: string, value: number, limit?: number): void =>
      report({ name, value: Number(value.toFixed(1)), unit: 'ms', ...(limit === undefined ? {} : { limit, pass: value < limit }) });
    line('longest block of the extension host while idle', idle);
    line('longest block during a turn, median of the turns', [...blocks].sort((a, b) => a - b)[Math.floor(turns / 2)] ?? NaN);
    // A busy machine and the collector only ever add time; what a turn always needs shows in every one.
    line('longest block during a turn, best of the turns', best, limitMs);
  });
});
