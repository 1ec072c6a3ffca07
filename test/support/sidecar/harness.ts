import { strict as assert } from 'node:assert';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../../src/base/clock.js';
import { silentLogger } from '../../../src/base/logger.js';
import type { Result } from '../../../src/base/result.js';
import { isAlive, readAddress, sidecarFiles } from '../../../src/model/sidecar/stateFiles.js';
import { SidecarSupervisor, type SupervisorOptions } from '../../../src/model/sidecar/supervisor.js';
import type { DeltaParams, GenerateParams, GenerateResult, LoadParams, PromptSegment } from '../../../src/protocol/sidecar.js';

const modelFiles = {
  gemma: 'gemma-3-270m-q4_k_m.gguf',
  qwen: 'qwen2.5-coder-0.5b-instruct-q4_k_m.gguf',
  large: 'qwen2.5-coder-1.5b-instruct-q4_k_m.gguf',
  small: 'smollm2-135m-instruct-q4_1.gguf',
} as const;

/** A real model from the cache; its absence is a failure with the way out, never a skipped test. */
export function modelFile(name: keyof typeof modelFiles): string {
  const path = join(process.env['LOUPE_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'loupe'), 'models', modelFiles[name]);
  assert.ok(existsSync(path), `${path} is missing; "npm run setup" fetches it`);
  return path;
}

export const sidecarEntry = fileURLToPath(new URL('../../../src/sidecar/main.js', import.meta.url));
const build = 'test';

/** A state folder with its supervisors. `end` leaves no process and no file, but for a folder that was given. */
export class Workplace {
  private readonly supervisors: SidecarSupervisor[] = [];

  private constructor(readonly stateDir: string, private readonly stays: boolean) {}

  static async make(given?: string): Promise<Workplace> {
    return new Workplace(given ?? await mkdtemp(join(tmpdir(), 'loupe-sc-')), given !== undefined);
  }

  client(options: Partial<SupervisorOptions> = {}): SidecarSupervisor {
    const supervisor = new SidecarSupervisor({
      entry: sidecarEntry, execPath: process.execPath, stateDir: this.stateDir, client: 'test', build, logger: silentLogger, clock: systemClock, ...options,
    });
    this.supervisors.push(supervisor);
    return supervisor;
  }

  files = (): ReturnType<typeof sidecarFiles> => sidecarFiles(this.stateDir, build);

  async pid(): Promise<number | undefined> {
    return (await readAddress(this.files().address))?.pid;
  }

  sockets = async (): Promise<string[]> => (await readdir(this.stateDir)).filter((name) => name.startsWith('s-'));

  async end(): Promise<void> {
    const pid = await this.pid();
    for (const supervisor of this.supervisors) supervisor.dispose();
    if (pid !== undefined && isAlive(pid)) process.kill(pid, 'SIGKILL');
    if (!this.stays) await rm(this.stateDir, { recursive: true, force: true, maxRetries: 5 });
  }
}

export const loadParams = (model: keyof typeof modelFiles, more: Partial<LoadParams> = {}): LoadParams => ({
  role: 'chat', modelPath: modelFile(model), contextSize: 2048, kvPreset: 'exact', gpu: 'off',
  threads: 1, // the engine's threads spin while they wait for each other, which is ruinous beside other test runs
  ...more,
});

export const plain = (text: string): PromptSegment[] => [{ text, control: false }];

/** A ChatML question, as Qwen2.5 and SmolLM2 know it. */
export const ask = (question: string): PromptSegment[] => [
  { text: '<|im_start|>user\n', control: true }, { text: question, control: false }, { text: '<|im_end|>\n<|im_start|>assistant\n', control: true },
];

let requests = 0;

export const request = (prompt: PromptSegment[], more: Partial<GenerateParams> = {}): GenerateParams => ({
  id: `r${++requests}`, role: 'chat', conversation: 'c', prompt, maxTokens: 16, stop: [], sampling: { temperature: 0 }, ...more,
});

export function value<T>(result: Result<T>): T {
  assert.ok(result.ok, result.ok ? '' : JSON.stringify(result.error));
  return result.value;
}

export const code = (result: Result<unknown>): string => (result.ok ? 'ok' : result.error.code);

export interface Observed { readonly result: Result<GenerateResult>; readonly deltas: readonly DeltaParams[]; readonly times: readonly number[] }

/** Generates and keeps what was streamed, with its time. `onDelta` sees each piece, for a test that acts in mid-stream. */
export async function generate(
  client: SidecarSupervisor, params: GenerateParams, onDelta: (delta: DeltaParams) => void = () => undefined, signal = new AbortController().signal,
): Promise<Observed> {
  const deltas: DeltaParams[] = [];
  const times: number[] = [];
  const result = await client.generate(params, {
    onDelta: (delta) => {
      deltas.push(delta);
      times.push(performance.now());
      onDelta(delta);
    },
  }, signal);
  return { result, deltas, times };
}

export async function waitUntil(what: string, condition: () => boolean | Promise<boolean>, timeoutMs: number): Promise<number> {
  const began = performance.now();
  while (!(await condition())) {
    if (performance.now() - began > timeoutMs) assert.fail(`${what}: not within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return performance.now() - began;
}
