import type { Focus } from '../graph/ranking.js';
import type { FileFacts } from '../symbols/facts.js';

/** A repository at one moment, as the index knows it. */
export interface RepositorySnapshot {
  /** Name of its folder. */
  readonly name: string;
  /** Every file that is not left out: hash of its content, size in bytes, and symbols where its language is known. */
  readonly files: ReadonlyMap<string, { readonly hash: string; readonly bytes: number; readonly facts: FileFacts }>;
  /** How often the history touches a file; empty without a history. Asked for when a plan is made, not before. */
  changes(signal: AbortSignal): Promise<ReadonlyMap<string, number>>;
  readonly focus: Focus;
  /** The text that the hash belongs to; undefined when the file has changed or gone meanwhile. */
  read(path: string): Promise<string | undefined>;
  /** Whether a file that is not in `files` is gone from the disk, rather than left out. */
  isGone(path: string): Promise<boolean>;
}
