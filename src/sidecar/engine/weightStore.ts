import type { Llama, LlamaModel } from 'node-llama-cpp';

/** The weights of one file, shared by the roles that use it. */
export interface Weights {
  readonly model: LlamaModel;
  readonly users: number;
  release(): Promise<void>;
}

interface Entry { model: LlamaModel; users: number }

/** Loads each model file once, however many roles use it. Calls must not overlap. */
export class WeightStore {
  private readonly entries = new Map<string, Entry>();

  has(path: string, gpu: 'auto' | 'off'): boolean {
    return this.entries.has(keyOf(path, gpu));
  }

  /** `onProgress` gets a fraction of 1. Throws what the engine throws. */
  async take(llama: Llama, path: string, gpu: 'auto' | 'off', onProgress: (fraction: number) => void, signal: AbortSignal): Promise<Weights> {
    const key = keyOf(path, gpu);
    const known = this.entries.get(key);
    const entry = known ?? {
      users: 0,
      model: await llama.loadModel({
        modelPath: path, onLoadProgress: onProgress, loadSignal: signal, gpuLayers: gpu === 'off' ? 0 : 'auto',
        ignoreMemorySafetyChecks: true, // ours come first, and know the context too
      }),
    };
    this.entries.set(key, entry);
    entry.users++;
    return {
      model: entry.model,
      get users() { return entry.users; },
      release: async () => {
        entry.users--;
        if (entry.users > 0) return;
        this.entries.delete(key);
        await entry.model.dispose();
      },
    };
  }
}

const keyOf = (path: string, gpu: string): string => `${gpu}:${path}`;
