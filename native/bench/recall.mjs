// Whether a model still finds in a compressed KV cache what it finds in f16, and how often it still says the same.
//
//   node native/bench/recall.mjs [--only=greedy|recall] [--models=a,b] [--storages=a,b] [--lengths=4096,8192] [--to=N] [--threads=N] [--out=name]
//
//   recall: constants hidden in real code, one asked for at a time and three together, and questions about the code itself, after reading
//           4K, 8K, 16K and 28K tokens of it. Passes when every constant and every answer that f16 finds is found.
//   greedy: 200 tokens about each of 20 excerpts of code: how much is as with f16.
//
// The answers come from the program loupe-answer (answer.cpp) of the patched engine. Each storage is compared with the f16 of the same
// text, which is therefore measured first. Results are kept in docs/eval/kv-recall.json after every storage and shown in
// docs/eval/kv-recall.md: a run replaces what it measures anew. `--out=other` writes docs/eval/other.json and .md instead.
// `--lengths` makes another text, with its facts at shares of those lengths; `--to` leaves off the lengths above it, in the same text.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { run } from '../../scripts/lib/exec.mjs';
import { note } from '../../scripts/lib/log.mjs';
import { ensureTools } from '../../scripts/lib/native/build.mjs';
import { fromRoot, modelsDir } from '../../scripts/lib/paths.mjs';
import { models as measured, storedFor } from './perplexity.mjs';
import { render } from './recallReport.mjs';
import { compareGreedy, ids, likelihoods, scoreStage } from './recallScore.mjs';
import { chat, completion } from './recallStyle.mjs';
import { excerpts, material } from './recallText.mjs';

const storages = {
  f16: { keys: 'f16', values: 'f16' },
  'f16 with transforms': { keys: 'f16', values: 'f16', env: { LOUPE_KV_TRANSFORM_F16: '1' } },
  'f16 by upstream': { keys: 'f16', values: 'f16', env: { LOUPE_KV_ATTN: 'off' } },
  faithful: { keys: 'kv8', values: 'kv5' },
  balanced: { keys: 'kv5', values: 'kv4' },
  compact: { keys: 'kv43m', values: 'kv3' },
  smallest: { keys: 'kv3m', values: 'kv2' },
  'kv3m / kv3': { keys: 'kv3m', values: 'kv3' },
  'kv4 / kv2': { keys: 'kv4', values: 'kv2' },
  'kv3 / kv2': { keys: 'kv3', values: 'kv2' },
  'kv3 / kv3': { keys: 'kv3', values: 'kv3' },
  'kv2 / kv3': { keys: 'kv2', values: 'kv3' },
  'kv4 / kv3': { keys: 'kv4', values: 'kv3' },
  'kv3_32 / kv3_32': { keys: 'kv3_32', values: 'kv3_32' },
  q8_0: { keys: 'q8_0', values: 'q8_0' },
  q4_0: { keys: 'q4_0', values: 'q4_0' },
  'broken on purpose': { keys: 'kv2', values: 'kv2', env: { LOUPE_KV_TAIL: 'off', LOUPE_KV_BIAS: 'off', LOUPE_KV_BALANCE: 'off' } },
};

const models = {
  'Qwen2.5-Coder 0.5B': { file: 'qwen2.5-coder-0.5b-instruct-q4_k_m.gguf', style: chat },
  'Qwen2.5-Coder 1.5B': { file: 'qwen2.5-coder-1.5b-instruct-q4_k_m.gguf', style: chat },
  'Gemma 3 270M': { file: 'gemma-3-270m-q4_k_m.gguf', style: completion },
};

const greedy = { excerpts: 20, excerptTokens: 400, tokens: 200 };
/** Questions that are answered at a time, and cells for the longest question with its answer. */
const [parallel, room] = [8, 512];

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' }, models: { type: 'string' }, storages: { type: 'string' }, lengths: { type: 'string', default: '4096,8192,16384,28672' },
    to: { type: 'string', default: 'Infinity' },
    threads: { type: 'string', default: String(os.availableParallelism()) }, out: { type: 'string', default: 'kv-recall' },
  },
});

const chosen = (all, names) => Object.entries(all).filter(([name]) => names === undefined || names.split(',').includes(name));

/** A program that answers requests about one model file. */
function answerer(program, file, work) {
  const [request, result] = ['request.json', 'result.json'].map(name => path.join(work, name));
  return async (asked, env = {}) => {
    fs.writeFileSync(request, JSON.stringify({ model: path.join(modelsDir(), file), ...asked }));
    const code = await run(program, [request, result], { env: { ...process.env, ...env } });
    if (code !== 0) throw new Error(`loupe-answer ended with ${code}`);
    return JSON.parse(fs.readFileSync(result, 'utf8'));
  };
}

const counter = answer => async texts => (await answer({ count: texts })).counts;

/** f16 of the same text, which the others are compared with. */
function reference(kept, hash, name) {
  if (name === 'f16') return undefined;
  if (kept.f16 === undefined || kept.hash !== hash) throw new Error('f16 of this text has not been measured: begin with --storages=f16');
  return kept.f16;
}

async function measureGreedy(answer, { style, storages }, threads, kept, save) {
  const wanted = await excerpts(greedy.excerpts, greedy.excerptTokens, counter(answer));
  const questions = wanted.map(excerpt => ({ text: style.task(excerpt), tokens: greedy.tokens }));
  const hash = createHash('sha256').update(JSON.stringify(questions)).digest('hex').slice(0, 12);
  for (const [name, { keys, values, env }] of chosen(storages, options.storages)) {
    const base = reference(kept, hash, name);
    if (base === undefined) Object.keys(kept).forEach(key => delete kept[key]);
    kept.hash = hash;
    const { isa, stages: [{ answers, answer_s: seconds }] } = await answer(
      { keys, values, threads, parallel: questions.length, cells: greedy.excerptTokens + greedy.tokens + room, stages: [{ text: [], questions }] }, env);
    kept[name] = { isa, measured: true, ...(base === undefined ? { outputs: answers.map(({ tokens }) => tokens.join(' ')) } : compareGreedy(base.outputs, answers)) };
    note(`${name}: ${seconds.toFixed(0)} s${base === undefined ? '' : `, ${kept[name].whole} of ${answers.length} as f16`}`);
    save();
  }
}

async function measureRecall(answer, { style, storages }, threads, kept, save) {
  const lengths = options.lengths.split(',').map(Number);
  const { stages, hash } = await material(lengths, counter(answer));
  const wanted = stages.filter(({ length }) => length <= Number(options.to));
  const request = wanted.map((stage, index) => ({ text: index === 0 ? style.opening(stage.text) : [{ text: stage.text }], asked: style.questions(stage) }));
  for (const [name, { keys, values, env }] of chosen(storages, options.storages)) {
    const base = reference(kept, hash, name);
    if (base === undefined) Object.keys(kept).forEach(key => delete kept[key]);
    kept.hash = hash;
    const said = index => base?.lengths[wanted[index].length]?.said; // an f16 that was measured without has none
    const scores = index => base === undefined || said(index) !== undefined;
    const question = ({ text, tokens }, reference) => ({ text, tokens, ...(reference === undefined ? {} : { reference: ids(reference) }) });
    const stages = request.map(({ text, asked }, index) => ({
      text, questions: asked.map((one, i) => ({ ...question(one, said(index)?.[i]), score: scores(index) })),
    }));
    const result = await answer({ keys, values, threads, parallel, cells: wanted.at(-1).length + room, stages }, env);
    const scored = result.stages.map((stage, index) => [
      wanted[index].length, { ...scoreStage(request[index].asked, stage), ...(scores(index) ? likelihoods(stage, base === undefined) : {}) },
    ]);
    kept[name] = { isa: result.isa, measured: true, lengths: Object.fromEntries(scored) };
    for (const [length, { found }] of Object.entries(kept[name].lengths)) note(`${name}, ${length}: ${JSON.stringify(found)}`);
    save();
  }
}

async function main() {
  const program = path.join(await ensureTools(), 'loupe-answer');
  const work = fs.mkdtempSync(path.join(os.tmpdir(), 'loupe-recall-'));
  const result = fromRoot('docs', 'eval', `${options.out}.json`);
  const kept = fs.existsSync(result) ? JSON.parse(fs.readFileSync(result, 'utf8')) : { greedy: {}, recall: {} };
  const save = () => {
    fs.writeFileSync(result, `${JSON.stringify(kept, undefined, 1)}\n`);
    fs.writeFileSync(result.replace(/json$/, 'md'), render(kept, greedy));
  };
  try {
    for (const [kind, measure] of [['greedy', measureGreedy], ['recall', measureRecall]]) {
      if (options.only !== undefined && options.only !== kind) continue;
      for (const [name, { file, style }] of chosen(models, options.models)) {
        note(`${name}, ${kind}`);
        const its = Object.fromEntries(Object.entries(storages).map(([storage, how]) => [storage, storedFor(measured[name], how)]));
        await measure(answerer(program, file, work), { style, storages: its }, Number(options.threads), kept[kind][name] ??= {}, save);
      }
    }
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
}

await main();
