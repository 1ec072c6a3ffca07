import * as z from 'zod';
import type { KvFormat } from './kv.js';

/** Messages about remembered prefixes: plain data, part of the table in `sidecar.ts`. */

/** Names a memory: chosen by the client, one for each repository. */
export const memoryNameSchema = z.string().min(1).max(200);

/** One saved KV state on disk. */
export interface SnapshotInfo {
  readonly memory: string;
  /** Name of the model that it belongs to. */
  readonly model: string;
  readonly kv: KvFormat;
  readonly tokens: number;
  /** On disk, all of the file. */
  readonly bytes: number;
  /** What the same tokens take in f16. */
  readonly f16Bytes: number;
  /** Milliseconds since the Unix epoch. */
  readonly createdAt: number;
  readonly lastUsedAt: number;
}

export interface MemoryList { readonly snapshots: readonly SnapshotInfo[]; readonly bytes: number; readonly budgetBytes: number }

export interface Forgotten { readonly snapshots: number; readonly bytes: number }

/**
 * What it took to have a prefix in the cache. `tokens` = `reused` + `prefilled`, counted by the engine: `prefilled` are the tokens
 * that it evaluated, `restored` those of the reused ones that came from disk. `tokens` is more than both where the work was given up.
 */
export interface PrefixStats {
  readonly tokens: number;
  readonly reused: number;
  readonly restored: number;
  readonly prefilled: number;
  /** Milliseconds: checking and loading, evaluating, writing and sealing; and the part of the writing during which the engine could do nothing else. */
  readonly restoreMs: number;
  readonly prefillMs: number;
  readonly saveMs: number;
  readonly engineSaveMs: number;
}

export interface RememberResult { readonly stats: PrefixStats; readonly saved: readonly SnapshotInfo[] }
