import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { layOut, packageRepositories, type RepositorySize, repositorySizes } from '../support/context/packages.js';
import { llamaServerBinary } from '../support/model/llamaServer.js';
import { editOneLine } from './memory/edits.js';
import { type Answer, questionSegments, RememberedRepository, withQuestion } from './memory/loupe.js';
import { median, report } from './memory/report.js';
import { PlainServer, type ServerAnswer } from './memory/server.js';

/**
 * What memory of a repository gains on real packages: the first token of a question cold and warm, the restore, the size of what is saved, and what an edit costs; beside
 * it a plain llama.cpp server with its prompt cache and a saved slot, in the same run, with the same model, threads and text. Reads a prefix of about 24,000 tokens twice for each
 * repository, which takes minutes. `LOUPE_BENCH_REPOSITORIES=small` measures fewer, `LOUPE_BENCH_SERVER=no` leaves the
 * server out, and a smaller `LOUPE_BENCH_BUDGET` shows quickly whether all of it works. With
 * `LOUPE_BENCH_STATE=folder` what was read stays there, and a run that finds it measures only what is warm.
 */
const threads = Number(process.env['LOUPE_BENCH_THREADS'] ?? Math.max(1, Math.min(availableParallelism(), 8)));
const contextSize = 32_768;
/** What the product gives a memory: the context without a reserve for conversation, at most the setting's default. */
const budget = Number(process.env['LOUPE_BENCH_BUDGET'] ?? 24_000);
const rounds = 5;
const longAnswer = 200;
const leftMs = 31_000;
const sizes = (process.env['LOUPE_BENCH_REPOSITORIES'] ?? repositorySizes.join()).split(',') as RepositorySize[];

const parent = await mkdtemp(path.join(tmpdir(), 'loupe-bench-'));
try {
  for (const size of sizes) {
    const folder = await layOut(packageRepositories[size], parent);
    const loupe = await measureLoupe(size, folder);
    if (process.env['LOUPE_BENCH_SERVER'] !== 'no') compare(size, loupe, await measureServer(size, loupe.prompt));
  }
} finally {
  await rm(parent, { recursive: true, force: true });
}
process.exit(0);

interface Measured { readonly prompt: ReturnType<typeof withQuestion>; readonly coldMs: number; readonly warmMs: number; readonly restoreMs: number; readonly bytes: number }

async function measureLoupe(size: RepositorySize, folder: string): Promise<Measured> {
  const repository = await RememberedRepository.open(folder, { contextSize, threads, budget, stateDir: process.env['LOUPE_BENCH_STATE'] });
  try {
    const plan = await repository.plan();
    const prefix = repository.prefix(plan);
    report(`${size}: tokens of the plan, ${plan.mode}, ${plan.files.whole} whole files, ${plan.files.mapped} in the map`, plan.tokens, 'tokens', { most: budget });
    report(`${size}: tokens of the question`, await repository.count(questionSegments), 'tokens');

    // Without a memory first. Half a minute later its conversation counts as left, and what it has read is saved: so the long prefix is read once.
    const cold = await repository.isSaved(prefix) ? undefined : await repository.ask(prefix, longAnswer);
    if (cold !== undefined) await sleep(leftMs);
    const remembered = await repository.remember(prefix);
    const saved = remembered.saved.at(-1) ?? await repository.savedState();
    if (saved === undefined) throw new Error('nothing was saved');
    const prefixTokens = await repository.count(prefix);
    report(`${size}: tokens of the prefix`, prefixTokens, 'tokens');
    report(`${size}: of these read again to be saved`, remembered.stats.prefilled, 'tokens');
    if (cold !== undefined) report(`${size}: first token, cold`, cold.firstMs, 'ms');
    report(`${size}: saved, of that the engine stands still`, remembered.stats.engineSaveMs, 'ms');
    report(`${size}: saved, in all`, remembered.stats.saveMs, 'ms');
    report(`${size}: state on disk`, saved.bytes / 1e6, 'MB');
    report(`${size}: state on disk, each token`, saved.bytes / saved.tokens, 'bytes');
    report(`${size}: state on disk / f16`, saved.bytes / saved.f16Bytes, 'ratio', { most: 0.3 });

    const again = await repository.remember(prefix);
    report(`${size}: reused when nothing changed`, (100 * again.stats.reused) / again.stats.tokens, '%', { least: 99 });
    const warm: Answer[] = [];
    for (let round = 0; round < rounds; round++) {
      await repository.restart();
      warm.push(await repository.ask(prefix, round === 0 ? longAnswer : 1));
    }
    const [first] = warm;
    const restored = warm.map(({ stats }) => stats);
    const [warmMs, restoreMs] = [median(warm.map(({ firstMs }) => firstMs)), median(restored.map((one) => one.restoreMs))];
    report(`${size}: restore in a fresh process, median`, restoreMs, 'ms', { most: 50 });
    report(`${size}: restore in a fresh process, longest`, Math.max(...restored.map((one) => one.restoreMs)), 'ms');
    report(`${size}: restored of the prefix, least`, (100 * Math.min(...restored.map(({ tokensRestored = 0 }) => tokensRestored))) / prefixTokens, '%', { least: 99 });
    report(`${size}: reading the question, median`, median(restored.map((one) => one.prefillMs)), 'ms');
    report(`${size}: first token in a fresh process, median`, warmMs, 'ms', { most: 800 });
    if (cold !== undefined) {
      report(`${size}: first token, cold / warm`, cold.firstMs / warmMs, 'times', { least: 300 });
      report(`${size}: greedy tokens compared, cold and warm`, cold.stats.tokensOut, 'tokens', { least: longAnswer });
      report(`${size}: the same text cold and warm`, Number(cold.text === first?.text), '', { least: 1 });
    }
    await measureEdits(size, folder, repository);
    return { prompt: withQuestion(prefix), coldMs: cold?.firstMs ?? Number.NaN, warmMs, restoreMs, bytes: saved.bytes };
  } finally {
    await repository.end();
  }
}

/** Each from the plan as it was: the edits before are taken back. */
async function measureEdits(size: RepositorySize, folder: string, repository: RememberedRepository): Promise<void> {
  for (const count of [1, 5, 20]) {
    const before = await repository.plan();
    const { paths, undo } = await editOneLine(folder, before, count);
    const plan = await repository.plan(paths);
    const { stats } = await repository.remember(repository.prefix(plan));
    const how = plan.renewed === undefined ? 'kept' : `renewed: ${plan.renewed}`;
    report(`${size}: reused after one line in ${paths.length} files, ${how}`, (100 * stats.reused) / stats.tokens, '%', { least: 90 });
    report(`${size}: tokens read after that`, stats.prefilled, 'tokens');
    report(`${size}: read and saved again after that`, stats.prefillMs + stats.saveMs, 'ms');
    await undo();
    await repository.remember(repository.prefix(await repository.plan(paths)));
  }
}

interface ServerMeasured { readonly cold: ServerAnswer; readonly warm: ServerAnswer; readonly cached: ServerAnswer; readonly restoreMs: number; readonly bytes: number }

async function measureServer(size: RepositorySize, prompt: Measured['prompt']): Promise<ServerMeasured> {
  const server = await PlainServer.open(await llamaServerBinary(), { contextSize, threads });
  try {
    const cold = await server.ask(prompt, longAnswer);
    const cached = await server.ask(prompt.with(-2, { text: 'Name the three files that matter most.', control: false }), 1);
    const bytes = await server.save();
    const restores: number[] = [];
    const warm: ServerAnswer[] = [];
    for (let round = 0; round < rounds; round++) {
      await server.restart();
      restores.push(await server.restore());
      warm.push(await server.ask(prompt, round === 0 ? longAnswer : 1));
    }
    const restoreMs = median(restores);
    const [first] = warm;
    report(`${size}, plain server: first token, cold`, cold.firstMs, 'ms');
    report(`${size}, plain server: another question, prompt cache in memory`, cached.firstMs, 'ms');
    report(`${size}, plain server: of that, tokens read`, cached.evaluated, 'tokens');
    report(`${size}, plain server: slot on disk`, bytes / 1e6, 'MB');
    report(`${size}, plain server: slot restored, median`, restoreMs, 'ms');
    report(`${size}, plain server: first token after that, median`, median(warm.map(({ firstMs }) => firstMs)), 'ms');
    report(`${size}, plain server: tokens read after that`, first?.evaluated ?? Number.NaN, 'tokens');
    report(`${size}, plain server: the same text cold and restored`, Number(cold.text === first?.text), '');
    return { cold, cached, warm: { ...(first ?? cold), firstMs: median(warm.map(({ firstMs }) => firstMs)) }, restoreMs, bytes };
  } finally {
    await server.end();
  }
}

function compare(size: RepositorySize, loupe: Measured, server: ServerMeasured): void {
  if (!Number.isNaN(loupe.coldMs)) report(`${size}: first token cold, Loupe / plain server`, loupe.coldMs / server.cold.firstMs, 'ratio');
  report(`${size}: first token in a fresh process, Loupe / plain server with its slot restored`, loupe.warmMs / (server.restoreMs + server.warm.firstMs), 'ratio');
  report(`${size}: restore, Loupe / plain server`, loupe.restoreMs / server.restoreMs, 'ratio');
  report(`${size}: on disk, Loupe / plain server`, loupe.bytes / server.bytes, 'ratio');
}
