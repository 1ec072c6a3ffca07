import { randomUUID } from 'node:crypto';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { aboutWorkspace } from '../../src/agent/aboutWorkspace.js';
import { runTurn } from '../../src/agent/loop.js';
import { turnPrefix } from '../../src/agent/prefix.js';
import type { TurnMemory } from '../../src/agent/turn.js';
import { systemClock } from '../../src/base/clock.js';
import { tokenizerOf } from '../../src/languageServer/context/tokenizer.js';
import type { LocalChatModel } from '../../src/model/localChatModel.js';
import type { SidecarSupervisor } from '../../src/model/sidecar/supervisor.js';
import { editorTools } from '../support/agent/editorTools.js';
import { FolderIndex } from '../support/context/folderIndex.js';
import { layOut, packageRepositories, type RepositorySize, repositorySizes } from '../support/context/packages.js';
import { threadsOption, withChatModel } from './evalEngine.js';
import { isRight, type Question, questionsOf } from './memory/questions.js';
import { type Facts, factsOf } from './memory/symbols.js';
import { type Looking, reword, varied, type Wording, wordings } from './memory/wordings.js';

/**
 * What memory of a repository gains: questions with one right answer, made of the compiler's symbol table, asked without a memory (tools only), with a map and
 * with the whole repository. Answers are judged by rules. By command:
 *
 *   node out/test/eval/memory.eval.js [--model file] [--repositories small,middle,large] [--memory none,map,whole] [--count 20] [--from 0] [--wording asIs] [--looking asIs]
 *     [--threads n] [--keep folder] [--report file]
 *
 * `--keep`: folder in which read prefixes are kept from one run to the next. `--report`: gets one line of JSON for each question, as soon as it is answered.
 */
const { values: options } = parseArgs({
  options: {
    model: { type: 'string', default: 'qwen2.5-coder-1.5b-instruct-q4_k_m.gguf' },
    repositories: { type: 'string', default: repositorySizes.join() }, memory: { type: 'string', default: 'none,map,whole' },
    count: { type: 'string', default: '20' }, from: { type: 'string', default: '0' }, wording: { type: 'string', default: 'asIs' }, looking: { type: 'string', default: 'asIs' },
    threads: { type: 'string' }, keep: { type: 'string' }, report: { type: 'string' },
  },
});

type Condition = 'none' | TurnMemory['mode'];
const contextSize = 32_768;
/** Tokens of the plan. A budget below that of the whole makes a map; what does not fit beside question and answer is not asked. */
const budgets: Readonly<Record<RepositorySize, Partial<Record<Condition, number>>>> = {
  small: { map: 8_000, whole: 31_000 }, middle: { map: 24_000, whole: 31_000 }, large: { map: 24_000 },
};

const wording = oneOf(options.wording, Object.keys(wordings) as Wording[]);
const looking = oneOf(options.looking, ['asIs', 'never', 'forbidden'] satisfies Looking[]);

function oneOf<T extends string>(given: string, known: readonly T[]): T {
  const found = known.find((one) => one === given);
  if (found === undefined) throw new Error(`${given} is none of ${known.join(', ')}`);
  return found;
}

interface Row { readonly right: boolean; readonly evaluated: number; readonly ms: number; readonly calls: number }
interface Place { readonly model: LocalChatModel; readonly engine: SidecarSupervisor; readonly size: RepositorySize; readonly folder: string; readonly facts: Facts }

async function ask({ model, size, folder, facts }: Place, condition: Condition, memory: TurnMemory | undefined, question: Question): Promise<Row> {
  const began = performance.now();
  const { files, tools } = editorTools(folder);
  const turn = runTurn({
    model: varied(model, wording, looking, memory?.mode), tools, clock: systemClock, newId: randomUUID,
    aboutWorkspace: (text, signal) => aboutWorkspace(text, files, signal),
  }, {
    turnId: randomUUID(), conversation: randomUUID(), goal: question.text, context: '', history: [], zone: 'full', budget: { steps: 8, tokens: 60_000, wallMs: 900_000 },
    ...(memory === undefined ? {} : { memory }),
  }, new AbortController().signal);
  const calls: string[] = [];
  let [evaluated, read] = [0, 0];
  for (;;) {
    const next = await turn.next();
    if (next.done) {
      const { answer, gate } = next.value;
      const said = answer.split('> What gave no result')[0] ?? '';
      const row = { right: isRight(question, said, facts), evaluated, ms: Math.round(performance.now() - began), calls: calls.length };
      console.log(`${row.right ? 'right' : 'WRONG'} ${size} ${condition} ${row.ms} ms, ${evaluated} tokens, ${gate}: ${question.text} (${question.answers.join(' or ')})\n  ${calls.join('; ')}\n  ${said.replace(/\s+/g, ' ').slice(0, 240)}`);
      const line = { model: model.info.name, size, condition, wording, looking, kind: question.kind, question: question.text, answers: question.answers, said, gate, did: calls, read, ...row };
      if (options.report !== undefined) appendFileSync(options.report, `${JSON.stringify(line)}\n`);
      return row;
    }
    if (next.value.type === 'toolStarted') calls.push(`${next.value.call.name} ${JSON.stringify(next.value.call.arguments)}`);
    if (next.value.type === 'modelFinished') {
      const { tokensIn, tokensCached, tokensOut } = next.value.stats;
      evaluated += tokensIn - tokensCached + tokensOut;
      read += tokensIn + tokensOut;
    }
  }
}

/** The plan of the condition, read and saved; undefined where the repository does not fit. */
async function memoryOf({ model, engine, size, folder }: Place, condition: Condition): Promise<{ readonly memory: TurnMemory | undefined; readonly tokens: number } | undefined> {
  if (condition === 'none') return { memory: undefined, tokens: 0 };
  const budget = budgets[size][condition];
  if (budget === undefined) return undefined;
  const index = new FolderIndex(folder, await tokenizerOf(engine, 'chat'));
  try {
    const plan = await index.plan(budget);
    if (plan.mode !== condition) throw new Error(`${size} became ${plan.mode} with ${budget} tokens`);
    const memory: TurnMemory = { mode: plan.mode, blocks: plan.blocks.map(({ text }) => text) };
    const { system, tools } = turnPrefix(editorTools(folder).tools, 'full', memory);
    const prompt = model.prefix(reword(system, wording, plan.mode), tools);
    const began = performance.now();
    const done = await engine.prefixes.remember({ id: randomUUID(), role: 'chat', memory: `${size} ${condition} ${wording}`, prompt }, {}, new AbortController().signal);
    if (!done.ok) throw new Error(`${done.error.message} ${done.error.cause ?? ''}`);
    const { stats } = done.value;
    console.log(`${size} ${condition}: ${stats.tokens} tokens, ${plan.tokens} of them the plan, ${plan.files.whole} files whole, ${plan.files.mapped} in the map; ${stats.prefilled} read in ${Math.round(performance.now() - began)} ms`);
    return { memory, tokens: stats.tokens };
  } finally {
    index.dispose();
  }
}

const parent = mkdtempSync(join(tmpdir(), 'loupe-eval-'));
if (options.keep !== undefined) mkdirSync(options.keep, { recursive: true, mode: 0o700 });
try {
  await withChatModel(options.model, threadsOption(options.threads), async (model, engine) => {
    const table: string[] = [];
    for (const size of options.repositories.split(',').map((one) => oneOf(one, repositorySizes))) {
      const folder = await layOut(packageRepositories[size], parent);
      const facts = factsOf(folder);
      const questions = questionsOf(facts, Number(options.count)).slice(Number(options.from));
      for (const condition of options.memory.split(',').map((one) => oneOf(one, ['none', 'map', 'whole'] as const))) {
        const place = { model, engine, size, folder, facts };
        const found = await memoryOf(place, condition);
        if (found === undefined) continue;
        const rows: Row[] = [];
        for (const question of questions) rows.push(await ask(place, condition, found.memory, question));
        const right = rows.filter((row) => row.right).length;
        const sum = (of: (row: Row) => number): number => rows.reduce((total, row) => total + of(row), 0);
        table.push(`| ${size} | ${condition} | ${found.tokens} | ${right}/${rows.length} | ${right === 0 ? '-' : Math.round(sum(({ evaluated }) => evaluated) / right)} | ${(sum(({ calls }) => calls) / rows.length).toFixed(1)} | ${Math.round(sum(({ ms }) => ms) / rows.length)} |`);
        console.log(table.at(-1));
      }
    }
    console.log(`\n${model.info.name}, wording ${wording}, looking ${looking}\n\n| repository | memory | tokens of the prefix | right | tokens evaluated per right answer | calls | ms |\n|---|---|---|---|---|---|---|\n${table.join('\n')}`);
  }, { contextSize, kvPreset: 'balanced', stateDir: options.keep });
} finally {
  rmSync(parent, { recursive: true, force: true });
}
