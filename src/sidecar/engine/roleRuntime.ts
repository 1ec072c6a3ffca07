import type { LlamaContext, LlamaModel } from 'node-llama-cpp';
import type { Clock } from '../../base/clock.js';
import { kvCacheBytes } from '../../model/fit.js';
import { newestRows } from '../../model/kvPresets.js';
import type { ModelShape } from '../../model/modelShape.js';
import type { LoadedModel, LoadParams } from '../../protocol/sidecar.js';
import { batchSize } from './contextPlan.js';
import { SequencePool } from './sequencePool.js';
import { RoleSnapshots, type SnapshotDeps } from './roleSnapshots.js';
import { checkpointOptions, SequenceState } from './sequenceState.js';
import { SliceSize } from './sliceSize.js';
import type { Weights } from './weightStore.js';

/** A loaded model with the context of one role. */
export class RoleRuntime {
  readonly pool: SequencePool;
  readonly slices: SliceSize;
  readonly snapshots: RoleSnapshots;
  private readonly closing = new AbortController();
  private readonly running = new Set<Promise<unknown>>();

  constructor(
    readonly params: LoadParams, readonly loaded: LoadedModel, readonly shape: ModelShape,
    private readonly weights: Weights, readonly context: LlamaContext, clock: Clock, snapshots: SnapshotDeps,
    modelHash: (path: string, signal: AbortSignal) => Promise<string>,
  ) {
    const window = weights.model.fileInsights.swaSize;
    const { f16Rows } = loaded.kv;
    const cutExactly = f16Rows === 0 ? undefined : f16Rows - newestRows.besides - newestRows.read;
    const states = Array.from({ length: context.totalSequences }, () => new SequenceState(context.getSequence({ checkpoints: checkpointOptions }), window, cutExactly));
    this.pool = new SequencePool(states, clock);
    this.slices = new SliceSize(batchSize, clock);
    this.snapshots = new RoleSnapshots(this, snapshots, () => modelHash(params.modelPath, this.closing.signal));
  }

  get model(): LlamaModel {
    return this.weights.model;
  }

  get ownsWeights(): boolean {
    return this.weights.users === 1;
  }

  /** Bytes that go back when this role ends. */
  get releasableBytes(): number {
    return this.loaded.kvBytesTotal + (this.ownsWeights ? this.model.size : 0);
  }

  /** KV bytes of a sequence with this many tokens. */
  kvBytesOf(tokens: number): number {
    return kvCacheBytes(this.shape.kv, tokens, this.loaded.kv);
  }

  /** Starts what makes the first request quicker, behind everything else. */
  warmUp(): void {
    void this.use(new AbortController().signal, (signal) => this.snapshots.prepare(signal));
  }

  /** Runs `work` with a signal that also aborts when the role is unloaded. */
  async use<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const promise = work(AbortSignal.any([signal, this.closing.signal]));
    const settled = promise.then(() => undefined, () => undefined);
    this.running.add(settled);
    try {
      return await promise;
    } finally {
      this.running.delete(settled);
    }
  }

  /** Cancels what runs, waits for it, and gives the memory back. */
  async dispose(): Promise<void> {
    this.closing.abort();
    await Promise.all(this.running);
    await this.context.dispose();
    await this.weights.release();
  }
}
