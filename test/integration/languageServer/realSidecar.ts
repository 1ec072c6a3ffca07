import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../../src/base/clock.js';
import { silentLogger } from '../../../src/base/logger.js';
import { modelsDirectory } from '../../../src/model/paths.js';
import { SidecarSupervisor } from '../../../src/model/sidecar/supervisor.js';
import type { LoadParams } from '../../../src/protocol/sidecar.js';

/** The sidecar as it is compiled, in a state folder of its own, so that tests never meet the one that a person uses. */
export class RealSidecar {
  private constructor(readonly engine: SidecarSupervisor, private readonly stateDir: string) {}

  static async start(): Promise<RealSidecar> {
    const stateDir = await mkdtemp(path.join(tmpdir(), 'loupe-inline-'));
    const entry = fileURLToPath(new URL('../../../src/sidecar/main.js', import.meta.url));
    const engine = new SidecarSupervisor({ entry, execPath: process.execPath, stateDir, client: 'inline test', build: 'test', logger: silentLogger, clock: systemClock });
    return new RealSidecar(engine, stateDir);
  }

  async stop(): Promise<void> {
    this.engine.dispose();
    await rm(this.stateDir, { recursive: true, force: true });
  }
}

export const completionModel: LoadParams = {
  role: 'completion', modelPath: path.join(modelsDirectory(), 'qwen2.5-coder-0.5b-instruct-q4_k_m.gguf'), contextSize: 4096, kvKeys: 'f16', kvValues: 'f16', threads: 'auto', gpu: 'off',
};
