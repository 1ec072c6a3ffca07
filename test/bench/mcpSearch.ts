import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { rgPath } from '@vscode/ripgrep';
import { callTool, overStdio } from '../support/mcp/served.js';

/**
 * `search_text` over warm standard input and output in a repository of 10,000 files, against ripgrep alone on the same question, in turns in one
 * run. Files are in the system's cache, as in a folder that somebody works in: what is measured is what Loupe adds.
 */
const rounds = Number(process.env['LOUPE_BENCH_ROUNDS'] ?? 40);
const warmUp = 5;
const folders = 100;
const filesPerFolder = 100;
const limitRatio = 1.5;

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

function report(name: string, value: number, unit: string, limit?: number): void {
  console.log(JSON.stringify({ name, value: Number(value.toFixed(3)), unit, ...(limit === undefined ? {} : { limit, pass: value <= limit }) }));
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** `needle` stands once in every 500th file, `value` in every line. */
function fileText(index: number): string {
  const lines = Array.from({ length: 60 }, (_, line) => `export const value${index}x${line} = compute(${line}, 'some text of module ${index}');`);
  if (index % 500 === 0) lines[30] = `// The needle of module ${index}.`;
  return `${lines.join('\n')}\n`;
}

/** What ripgrep finds with its own options, files by the rules that Loupe has: hidden ones, and none of Git's own. */
const ripgrepAlone = (folder: string, pattern: string): Promise<number> => new Promise((resolve, reject) => {
  const args = ['--no-config', '--line-number', '--fixed-strings', '--ignore-case', '--hidden', '--glob=!.git', '--regexp', pattern, '--', './'];
  execFile(rgPath, args, { cwd: folder, maxBuffer: 1 << 28 }, (error, stdout) => {
    if (error !== null && error.code !== 1) reject(error); // 1: nothing is found
    else resolve(stdout.split('\n').length - 1);
  });
});

const base = await realpath(await mkdtemp(join(tmpdir(), 'loupe-bench-search-')));
try {
  const folder = join(base, 'app');
  for (let i = 0; i < folders; i++) {
    const path = join(folder, 'src', `part${i % 10}`, `module${i}`);
    await mkdir(path, { recursive: true });
    await Promise.all(Array.from({ length: filesPerFolder }, (_, j) => writeFile(join(path, `file${j}.ts`), fileText(i * filesPerFolder + j))));
  }
  const client = await overStdio({ args: ['--folder', folder], folder, cache: join(base, 'cache') });
  const asked: readonly (readonly [string, string, number | undefined])[] = [
    ['in 20 of 10,000 files', 'needle', limitRatio], ['nowhere', 'not to be found', limitRatio], ['in every line', 'value', limitRatio],
  ];
  for (const [name, pattern, limit] of asked) {
    const alone: number[] = [];
    const through: number[] = [];
    for (let round = -warmUp; round < rounds; round++) {
      const ripgrep = (): Promise<number> => timed(() => ripgrepAlone(folder, pattern));
      const tool = (): Promise<number> => timed(async () => {
        const { failed, text } = await callTool(client, 'search_text', { pattern });
        if (failed) throw new Error(text);
      });
      // Each first in every other round.
      const [a, b] = round % 2 === 0 ? [await ripgrep(), await tool()] : [await tool(), await ripgrep()].reverse() as [number, number];
      if (round < 0) continue;
      alone.push(a);
      through.push(b);
    }
    report(`ripgrep alone, a text ${name}, median`, median(alone), 'ms');
    report(`search_text over warm stdio, a text ${name}, median`, median(through), 'ms');
    report(`search_text over ripgrep alone, a text ${name}`, median(through) / median(alone), 'x', limit);
  }
  await client.close();
} finally {
  await rm(base, { recursive: true, force: true });
}
