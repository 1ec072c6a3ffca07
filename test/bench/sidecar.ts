import { getLlama, type LlamaContextSequence, LlamaLogLevel, type LlamaModel } from 'node-llama-cpp';
import { availableParallelism } from 'node:os';
import type { SidecarSupervisor } from '../../src/model/sidecar/supervisor.js';
import { generate, loadParams, modelFile, plain, request, value, Workplace } from '../support/sidecar/harness.js';

/**
 * What the sidecar costs against calling node-llama-cpp directly: time to the first token and tokens per second, measured in turns
 * in one run with the same model, threads and prompts, so that a busy machine slows both. Also how long completions wait
 * while a chat reads a long prompt, and how much of a conversation's prefix a second question reuses.
 */
const rounds = Number(process.env['LOUPE_BENCH_ROUNDS'] ?? 7);
const decoded = 48;
const threads = Number(process.env['LOUPE_BENCH_THREADS'] ?? Math.max(1, Math.min(availableParallelism(), 8)));
const limitOverhead = 0.03;

interface Sample { readonly firstMs: number; readonly tokensPerSecond: number }

/** About 420 tokens whose beginning differs each time, so that nothing is reused. */
const promptOf = (round: number): string => `Round ${round}. ${'The quick brown fox jumps over the lazy dog and runs. '.repeat(34)}One, two, three, four,`;

async function direct(model: LlamaModel, sequence: LlamaContextSequence, round: number): Promise<Sample> {
  await sequence.clearHistory();
  const began = performance.now();
  let first = 0;
  let count = 0;
  for await (const token of sequence.evaluate(model.tokenize(promptOf(round)), { temperature: 0, yieldEogToken: true })) {
    model.detokenize([token]);
    count++;
    if (count === 1) first = performance.now();
    if (count === decoded) break;
  }
  return { firstMs: first - began, tokensPerSecond: ((count - 1) * 1000) / (performance.now() - first) };
}

async function throughSidecar(client: SidecarSupervisor, round: number): Promise<Sample> {
  const began = performance.now();
  const { result, times, deltas } = await generate(client, request(plain(promptOf(round)), { conversation: `bench${round}`, maxTokens: decoded }));
  value(result);
  const first = times[0] ?? 0;
  const last = times.at(-1) ?? 0;
  return { firstMs: first - began, tokensPerSecond: (((deltas.at(-1)?.tokensOut ?? 1) - (deltas[0]?.tokensOut ?? 1)) * 1000) / (last - first) };
}

/** The middle one: a pause of the machine spoils one round, not the figure. */
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

function report(name: string, measured: number, unit: string, limit?: number, pass?: boolean): void {
  console.log(JSON.stringify({ name, value: Number(measured.toFixed(4)), unit, ...(limit === undefined ? {} : { limit }), ...(pass === undefined ? {} : { pass }) }));
}

const place = await Workplace.make();
try {
  const client = place.client();
  value(await client.load(loadParams('qwen', { threads })));
  const llama = await getLlama({ build: 'never', gpu: false, skipDownload: true, progressLogs: false, logLevel: LlamaLogLevel.error, maxThreads: 0 });
  const model = await llama.loadModel({ modelPath: modelFile('qwen'), gpuLayers: 0 });
  const context = await model.createContext({ contextSize: 2048, batchSize: 512, flashAttention: true, threads });
  const sequence = context.getSequence();

  await direct(model, sequence, 0);
  await throughSidecar(client, 0);
  const ratios: { first: number; speed: number }[] = [];
  for (let round = 1; round <= rounds; round++) {
    // In turns, and each first in every other round: drift of the machine must not favour either.
    const [a, b] = round % 2 === 0
      ? [await direct(model, sequence, round), await throughSidecar(client, round)]
      : [await throughSidecar(client, round), await direct(model, sequence, round)].reverse() as [Sample, Sample];
    ratios.push({ first: b.firstMs / a.firstMs, speed: b.tokensPerSecond / a.tokensPerSecond });
    console.log(`round ${round}: first token ${a.firstMs.toFixed(0)} direct, ${b.firstMs.toFixed(0)} ms sidecar; ${a.tokensPerSecond.toFixed(1)} and ${b.tokensPerSecond.toFixed(1)} tokens/s`);
  }
  const first = median(ratios.map((ratio) => ratio.first));
  const speed = median(ratios.map((ratio) => ratio.speed));
  report('time to first token, sidecar / direct', first, 'ratio', 1 + limitOverhead, first <= 1 + limitOverhead);
  report('tokens per second, sidecar / direct', speed, 'ratio', 1 - limitOverhead, speed >= 1 - limitOverhead);
  await context.dispose();

  const question = promptOf(1000);
  const before = value((await generate(client, request(plain(question), { conversation: 'reuse', maxTokens: 8 }))).result);
  const again = value((await generate(client, request([...plain(question), ...plain(before.text), ...plain(' And then?')], { conversation: 'reuse', maxTokens: 1 }))).result);
  const reused = again.stats.tokensCached / (before.stats.tokensIn + before.stats.tokensOut);
  report('prefix reused by a second question', reused, 'share', 0.95, reused >= 0.95);

  value(await client.load(loadParams('qwen', { threads, role: 'completion', contextSize: 1024 })));
  const chat = new AbortController();
  const running = generate(client, request(plain(promptOf(2000).repeat(3)), { conversation: 'busy', maxTokens: 200 }), undefined, chat.signal);
  const waits: number[] = [];
  for (let i = 0; i < 8; i++) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    waits.push(value((await generate(client, request(plain(`const value${i} =`), { role: 'completion', conversation: 'file', maxTokens: 2 }))).result).stats.queueMs);
  }
  chat.abort();
  await running;
  report('completion waits during a chat, median', median(waits), 'ms', 250, median(waits) <= 250);
  report('completion waits during a chat, longest', Math.max(...waits), 'ms');
} finally {
  await place.end();
}
process.exit(0); // node-llama-cpp keeps worker threads
