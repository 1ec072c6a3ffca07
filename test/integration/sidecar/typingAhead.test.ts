import { strict as assert } from 'node:assert';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runTurn } from '../../../src/agent/loop.js';
import type { WorkspacePort } from '../../../src/agent/ports.js';
import { readAhead } from '../../../src/agent/readAhead.js';
import { standardTools } from '../../../src/agent/tools/standardTools.js';
import type { TurnInput } from '../../../src/agent/turn.js';
import { systemClock } from '../../../src/base/clock.js';
import { LocalChatModel } from '../../../src/model/localChatModel.js';
import type { SidecarSupervisor } from '../../../src/model/sidecar/supervisor.js';
import type { GenerationStats } from '../../../src/protocol/chat.js';
import type { PrefixStats } from '../../../src/protocol/memory.js';
import type { PromptSegment } from '../../../src/protocol/sidecar.js';
import { code, generate, loadParams, plain, request, value, Workplace } from '../../support/sidecar/harness.js';

const never = new AbortController().signal;
const lines = (name: string, count: number): string => Array.from({ length: count }, (_, i) => `export const ${name}${i} = (value: number): number => value * ${i * 7 + 3} + ${i};`).join('\n');
const nothing: WorkspacePort = {
  root: '/', listFiles: () => Promise.resolve({ paths: [], truncated: false }), readFile: () => Promise.resolve(''), searchText: () => Promise.resolve({ matches: [], truncated: false }),
  findSymbol: () => Promise.resolve([]), diagnostics: () => Promise.resolve([]),
};

/** Real model: Gemma 3 270M, whose window layers forget all but the last 512 tokens. */
suite('Reading while the user types, with the sliding window of Gemma 3 270M', () => {
  test('words that are deleted and typed anew cost only themselves, also when the window has left the beginning', async () => {
    const place = await Workplace.make();
    try {
      const client = place.client();
      value(await client.load(loadParams('gemma', { contextSize: 4096 })));
      const tail = `${lines('march', 60)}\n`;
      const typed = async (question: string): Promise<PrefixStats> => value(await client.prefill({ role: 'chat', conversation: 'typed', prompt: plain(tail + question) }, never));
      const { tokens } = await typed('');
      for (const question of ['// Which of these', '// Which of these functions gives', '// Which of these', '// Which of these takes', '// Other words']) {
        const { reused, prefilled } = await typed(question);
        assert.ok(reused >= tokens - 1 && prefilled <= 8, `${question}: ${reused} of ${tokens} and more reused, ${prefilled} read`);
      }
      const { stats } = value((await generate(client, request(plain(`${tail}// Other words.\n`), { conversation: 'typed', maxTokens: 1 }))).result);
      assert.ok(stats.tokensCached >= tokens && (stats.tokensAhead ?? 0) >= tokens, JSON.stringify(stats));
    } finally {
      await place.end();
    }
  });
});

/** Real model: Qwen2.5-Coder 0.5B Instruct. */
suite('Reading while the user types, with Qwen2.5-Coder 0.5B', () => {
  let place: Workplace;
  let client: SidecarSupervisor;
  let model: LocalChatModel;
  /** Every cache is empty after it. */
  const load = async (): Promise<void> => {
    value(await client.unload('chat'));
    model = new LocalChatModel(client, value(await client.load(loadParams('qwen', { contextSize: 4096 }))));
  };
  suiteSetup(async () => {
    place = await Workplace.make();
    client = place.client();
    await load();
  });
  suiteTeardown(() => place.end());

  const tools = standardTools({ workspace: nothing }, 'zero');
  const question = 'Which of these functions gives 10 for the value 1, and which gives more than 100 for it?';
  const input = (goal: string): TurnInput => ({
    turnId: 't', conversation: 'typed', goal, context: `File src/month.ts:\n\`\`\`\n${lines('june', 12)}\n\`\`\``, history: [], zone: 'zero', budget: { steps: 1, tokens: 60_000, wallMs: 600_000 },
  });
  interface Asked { readonly stats: GenerationStats; readonly firstTokenMs: number; readonly text: string }
  const ask = async (): Promise<Asked> => {
    const stop = new AbortController();
    let firstTokenMs = Number.NaN;
    let text = '';
    for await (const event of runTurn({ model, tools, clock: systemClock, newId: () => 'id' }, input(question), stop.signal)) {
      if (event.type === 'firstToken') firstTokenMs = event.atMs;
      if (event.type === 'textDelta') text += event.text;
      if (event.type === 'modelFinished') return { stats: event.stats, firstTokenMs, text };
      if (text.length > 80) stop.abort();
    }
    throw new Error('no hop');
  };
  const typed = async (goal: string): Promise<PrefixStats> => {
    const read = await readAhead({ model, tools }, input(goal), never);
    assert.ok(read);
    return value(read);
  };

  test('after Return only the words that were not read yet are read', async () => {
    const cold = await ask();
    assert.equal(cold.stats.tokensCached, 0);
    await load();
    const tail = await typed('');
    assert.deepEqual([tail.reused, tail.prefilled], [0, tail.tokens]);
    const half = await typed('Which of these functions gives 10 for');
    assert.deepEqual([half.reused, half.reused + half.prefilled], [tail.tokens, half.tokens]);
    const most = await typed('Which of these functions gives 10 for the value 1, and which gives more than 100 for');
    assert.equal(most.reused, half.tokens);
    const warm = await ask();
    const { tokensIn, tokensCached, tokensAhead } = warm.stats;
    assert.equal(tokensIn, cold.stats.tokensIn);
    assert.deepEqual([tokensCached, tokensAhead], [most.tokens, most.tokens]);
    assert.ok(tokensIn - tokensCached <= 16, `${tokensIn - tokensCached} tokens were left`);
    console.log(`      ${tokensIn} tokens: after Return ${cold.stats.tokensIn} read, first word after ${cold.firstTokenMs.toFixed(0)} ms; typed ahead ${tokensIn - tokensCached} read, first word after ${warm.firstTokenMs.toFixed(0)} ms`);
    console.log(`      the answers ${cold.text.slice(0, 80) === warm.text.slice(0, 80) ? 'begin alike' : `differ: ${JSON.stringify([cold.text, warm.text])}`}`);
    const again = await ask();
    assert.equal(again.stats.tokensAhead, undefined, 'counted once');
    assert.ok(!existsSync(join(place.stateDir, 'memory')) || (await readdir(join(place.stateDir, 'memory'))).length === 0, 'nothing is saved');
  });

  test('what is typed after a deletion reuses what both have in common', async () => {
    await load();
    const tail = await typed('Which of these functions');
    await typed('Which of these functions gives ten');
    const shorter = await typed('Which of these functions');
    assert.deepEqual([shorter.reused, shorter.prefilled], [tail.tokens, 0]);
    const other = await typed('Which of these functions takes three');
    assert.ok(other.reused >= tail.tokens && other.prefilled <= 3, JSON.stringify(other));
  });

  test('anything else that is asked waits for one batch at most, and what was read so far is kept', async () => {
    await load();
    value((await generate(client, request(plain('One'), { conversation: 'other', maxTokens: 1 }))).result); // what a first batch costs is no part of this
    const prompt: PromptSegment[] = plain(lines('july', 60));
    const reading = client.prefill({ role: 'chat', conversation: 'typed', prompt }, never);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const asked = performance.now();
    const { stats } = value((await generate(client, request(plain('One, two'), { conversation: 'other', maxTokens: 1 }))).result);
    const waited = performance.now() - asked - stats.prefillMs - stats.decodeMs;
    const read = value(await reading);
    assert.ok(read.prefilled > 0 && read.prefilled < read.tokens, JSON.stringify(read));
    const batchMs = read.prefillMs / Math.max(1, read.prefilled / 64);
    console.log(`      ${read.prefilled} of ${read.tokens} tokens read; the other request waited ${waited.toFixed(0)} ms, 64 tokens took ${batchMs.toFixed(0)} ms`);
    assert.ok(waited < 2 * batchMs + 500, `waited ${waited} ms`);
    const rest = value(await client.prefill({ role: 'chat', conversation: 'typed', prompt: plain(lines('july', 24)) }, never));
    assert.ok(rest.reused >= Math.min(read.prefilled, rest.tokens) - 2, JSON.stringify({ read, rest }));
  });

  test('the newest wins, and a cancelled one says so', async () => {
    await load();
    const first = client.prefill({ role: 'chat', conversation: 'typed', prompt: plain(lines('august', 40)) }, never);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const newer = value(await client.prefill({ role: 'chat', conversation: 'typed', prompt: plain(lines('august', 4)) }, never));
    assert.equal(code(await first), 'cancelled');
    assert.ok(newer.reused + newer.prefilled === newer.tokens, JSON.stringify(newer));
    const controller = new AbortController();
    const running = client.prefill({ role: 'chat', conversation: 'typed', prompt: plain(lines('september', 40)) }, controller.signal);
    setTimeout(() => controller.abort(), 300);
    assert.equal(code(await running), 'cancelled');
    assert.equal(value((await generate(client, request(plain('One, two'), { conversation: 'typed', maxTokens: 1 }))).result).stats.tokensOut, 1);
  });
});
