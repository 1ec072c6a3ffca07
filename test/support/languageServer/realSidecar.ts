import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../../src/base/clock.js';
import { silentLogger } from '../../../src/base/logger.js';
import { modelsDirectory } from '../../../src/model/paths.js';
import { SidecarSupervisor } from '../../../src/model/sidecar/supervisor.js';
import type { InlineInitialization } from '../../../src/protocol/inline.js';
import type { LoadParams } from '../../../src/protocol/sidecar.js';

/** The sidecar as it is compiled, in a state folder of its own, so that tests never meet the one that a person uses. */
export class RealSidecar {
  private constructor(readonly engine: SidecarSupervisor, readonly address: InlineInitialization['sidecar']) {}

  static async start(): Promise<RealSidecar> {
    const stateDir = await mkdtemp(path.join(tmpdir(), 'loupe-inline-'));
    const entry = fileURLToPath(new URL('../../../src/sidecar/main.js', import.meta.url));
    const address = { entry, execPath: process.execPath, stateDir, build: 'test' };
    return new RealSidecar(new SidecarSupervisor({ ...address, client: 'test', logger: silentLogger, clock: systemClock }), address);
  }

  async stop(): Promise<void> {
    const status = await this.engine.status();
    this.engine.dispose();
    if (status.ok) process.kill(status.value.pid, 'SIGTERM');
    await rm(this.address.stateDir, { recursive: true, force: true, maxRetries: 40, retryDelay: 100 });
  }
}

export const completionModel: LoadParams = {
  role: 'completion', modelPath: path.join(modelsDirectory(), 'qwen2.5-coder-0.5b-instruct-q4_k_m.gguf'), contextSize: 4096, kvPreset: 'exact', threads: 'auto', gpu: 'off',
};
