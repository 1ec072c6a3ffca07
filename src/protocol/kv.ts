/** How the KV cache is stored: plain data that settings, messages and the engine share. */

/** What the user chooses from, the most exact first; the table of what each means is `src/model/kvPresets.ts`. */
export const kvPresets = ['exact', 'faithful', 'balanced', 'compact', 'smallest'] as const;
export type KvPreset = (typeof kvPresets)[number];

/**
 * Storage formats, by the engine's names. `f16` and `q8_0` are upstream's; the rest is Loupe's own (`native/kv`), in blocks of 64 values,
 * or of 32 for head sizes that 64 does not divide. `kv3m` and `kv43m`, for keys only, have 4 bits for the half of a head's channels with most
 * energy, and 2 or 3 for the others.
 */
export const kvTypes = ['f16', 'q8_0', 'kv8', 'kv5', 'kv4', 'kv3', 'kv2', 'kv8_32', 'kv5_32', 'kv4_32', 'kv3_32', 'kv2_32', 'kv3m', 'kv3m_32', 'kv43m', 'kv43m_32'] as const;
export type KvType = (typeof kvTypes)[number];

/** The storage of one KV cache. */
export interface KvFormat {
  /** Layers that keep every token. */
  readonly keys: KvType;
  readonly values: KvType;
  /** Layers that keep a window of tokens stay in f16; otherwise they are stored like the others. */
  readonly windowF16: boolean;
  /** Rows of each sequence for tokens kept in f16 besides: the first ones, the newest, and those of the batch that is being computed. */
  readonly f16Rows: number;
}
