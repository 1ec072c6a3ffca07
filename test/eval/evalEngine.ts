import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.js';
import { silentLogger } from '../../src/base/logger.js';
import { modelsDirectory } from '../../src/model/paths.js';
import { SidecarSupervisor } from '../../src/model/sidecar/supervisor.js';
import { LocalChatModel } from '../../src/model/localChatModel.js';
import type { Engine } from '../../src/model/engine.js';
import type { LoadParams } from '../../src/protocol/sidecar.js';

export interface EvalEngineOptions extends Partial<Pick<LoadParams, 'contextSize' | 'kvPreset'>> {
  readonly onProbe?: OnProbe | undefined;
  /** Folder of the sidecar that stays, with what it remembers; absent: one that is gone afterwards. */
  readonly stateDir?: string | undefined;
}

/** Runs `work` with a model of the models folder, in a sidecar of its own. */
export async function withChatModel(
  file: string, threads: number | 'auto', work: (model: LocalChatModel, engine: SidecarSupervisor) => Promise<void>, { onProbe, stateDir: kept, ...load }: EvalEngineOptions = {},
): Promise<void> {
  const stateDir = kept ?? mkdtempSync(join(tmpdir(), 'loupe-eval-'));
  const supervisor = new SidecarSupervisor({
    entry: join(import.meta.dirname, '../../src/sidecar/main.js'), execPath: process.execPath, stateDir, client: 'eval', build: 'eval', logger: silentLogger, clock: systemClock,
  });
  try {
    const loaded = await supervisor.load({ role: 'chat', modelPath: join(modelsDirectory(), file), contextSize: 8192, kvPreset: 'exact', threads, gpu: 'auto', ...load });
    if (!loaded.ok) throw new Error(`${loaded.error.message} ${loaded.error.cause ?? ''}`);
    await work(new LocalChatModel(onProbe ? watched(supervisor, onProbe) : supervisor, loaded.value), supervisor);
  } finally {
    supervisor.dispose();
    if (kept === undefined) rmSync(stateDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  }
}

export const threadsOption = (value: string | undefined): number | 'auto' => (value === undefined ? 'auto' : Number(value));

/** Sees what the model was asked to choose between, and how likely each choice was. */
export type OnProbe = (chances: readonly { readonly candidate: string; readonly probability: number }[]) => void;

function watched(engine: Engine, onProbe: OnProbe): Engine {
  return {
    onRoleState: engine.onRoleState,
    load: (params, signal) => engine.load(params, signal),
    unload: (role) => engine.unload(role),
    status: () => engine.status(),
    audit: (role) => engine.audit(role),
    generate: (params, handlers, signal) => engine.generate(params, handlers, signal),
    prefill: (params, signal) => engine.prefill(params, signal),
    tokenize: (role, segments, signal) => engine.tokenize(role, segments, signal),
    probe: async (request, signal) => {
      const result = await engine.probe(request, signal);
      if (result.ok) onProbe(request.candidates.map((candidate, i) => ({ candidate, probability: result.value.probabilities[i] ?? 0 })));
      return result;
    },
  };
}
