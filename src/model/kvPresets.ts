import type { KvFormat, KvPreset, KvType } from '../protocol/kv.js';
import type { EngineInfo } from '../protocol/sidecar.js';
import type { KvGeometry, ModelShape } from './modelShape.js';

type Bits = 2 | 3 | 4 | 5 | 8;
/** Keys of 4 bits and fewer in turn: what comes after "kv" in the name of the type, and the mean bits of a code. */
const mixedBits = { '3m': 3, '43m': 3.5 } as const;
type Mixed = keyof typeof mixedBits;

interface Preset {
  /** Bits of a code in Loupe's formats, or the kind of mixed keys; 16: f16. */
  readonly keys: Bits | Mixed | 16;
  readonly values: Bits | 16;
  /** For settings and lists: the picker shows some 70 characters of it. */
  readonly description: string;
}

/** The one table of presets. Keys need more bits than values: an error in a key is amplified by softmax. Measured: docs/eval/kv-quality.md, kv-recall.md. */
export const presets: Readonly<Record<KvPreset, Preset>> = {
  exact: { keys: 16, values: 16, description: 'f16, nothing is lost' },
  faithful: { keys: 8, values: 5, description: 'keys of 8 bits, values of 5: no difference that could be noticed' },
  balanced: { keys: 5, values: 4, description: 'keys of 5 bits, values of 4: more than three times the context of f16' },
  compact: { keys: '43m', values: 3, description: 'nearly five times the context of f16; finds a little less in long texts' },
  smallest: { keys: '3m', values: 2, description: 'six times the context of f16; misses a sixth or more of what f16 finds' },
};

/** What native/engine/llama-kv-tail.h allocates for each sequence beside a compressed cache; a test compares the two. */
export const f16RowsBeside = 704;
/** Of these, how many before it a token reads, and how many are not for the newest tokens (the first tokens' and the scratch row). */
export const newestRows = { read: 128, besides: 9 } as const;

const exact: KvFormat = { keys: 'f16', values: 'f16', windowF16: true, f16Rows: 0 };
/** With keys of 4 bits as upstream stores them, Qwen2.5-Coder writes nonsense (perplexity 4.5 to 6,714): 8 bits are the smallest that are safe. */
const upstream: KvFormat = { keys: 'q8_0', values: 'q8_0', windowF16: false, f16Rows: 0 };

/** Bits per stored value: the code, and its share of the block's scale (one byte; two in q8_0). */
export function bitsPerValue(type: KvType): number {
  if (type === 'f16') return 16;
  if (type === 'q8_0') return 8.5;
  const [code = '', block] = type.slice(2).split('_');
  const bits = code in mixedBits ? mixedBits[code as Mixed] : Number(code);
  return bits + 8 / (block === undefined ? 64 : Number(block));
}

/** Why an engine lacks Loupe's formats. */
export type WithoutFormats = 'stock' | 'gpu';

/** What the loaded engine can store. */
export interface KvEngine {
  readonly has: (type: KvType) => boolean;
  readonly lacksBecause?: WithoutFormats;
}

/** What a preset becomes for one model on one engine; `note` says in a sentence why it is not what the preset promises. */
export interface ResolvedKv { readonly format: KvFormat; readonly note?: string }

/** Of a model, what decides how its KV cache can be stored. */
export type KvShape = Pick<ModelShape, 'kv'> & Partial<Pick<ModelShape, 'architecture'>>;

/** What a running engine says of itself. */
export const engineStorage = ({ formats, binding, gpu }: Pick<EngineInfo, 'formats' | 'binding' | 'gpu'>): KvEngine => ({
  has: (type) => type === 'f16' || type === 'q8_0' || formats.includes(type),
  ...(binding === 'loupe' ? {} : { lacksBecause: gpu === 'none' ? 'stock' : 'gpu' }),
});

/** Loupe's own engine with all its formats: what the sizes of a preset are stated for, before an engine is there. */
export const everyFormat: KvEngine = { has: () => true };

export const presetFormat = (preset: KvPreset, shape: KvShape): KvFormat => resolveKv(preset, shape, everyFormat).format;

/** The storage that `engine` uses for `preset`. Where it cannot, the nearest that is larger and safe. */
export function resolveKv(preset: KvPreset, shape: KvShape, engine: KvEngine): ResolvedKv {
  const { keys, values } = presets[preset];
  if (keys === 16 || values === 16) return { format: exact };
  if (!hasFlashAttention(shape)) {
    return { format: exact, note: `The engine has no flash attention for this model, which the preset "${preset}" needs: its KV cache stays in f16.` };
  }
  const block = blockOf(shape.kv);
  if (block === undefined) {
    return { format: exact, note: heads(preset) };
  }
  const own: KvFormat = { keys: typeof keys === 'number' ? typeOf(keys, block) : mixedType(keys, shape.kv), values: typeOf(values, block), windowF16: true, f16Rows: f16RowsBeside };
  if (engine.has(own.keys) && engine.has(own.values)) return { format: own };
  if (!fitsUpstream(shape.kv)) return { format: exact, note: heads(preset) };
  if (engine.lacksBecause === 'stock' && !savesFirst.has(preset)) {
    return { format: exact, note: `${because('stock')}, so the preset "${preset}" keeps its KV cache in f16: ${(32 / pairBits(own)).toFixed(1)} times the memory.` };
  }
  return { format: upstream, note: `${because(engine.lacksBecause)}, so the preset "${preset}" keeps its KV cache in q8_0: ${cost(own)}.` };
}

/**
 * Upstream's q8_0 is read slowly on a processor (8,000 tokens of a prompt: 168 s against 51 s in f16), so there only who asks for a small
 * cache gets it.
 */
const savesFirst: ReadonlySet<KvPreset> = new Set(['compact', 'smallest']);

const heads = (preset: KvPreset): string =>
  `The attention heads of this model cannot be stored in the formats of the preset "${preset}": its KV cache stays in f16.`;

const because = (reason: WithoutFormats | undefined): string => {
  switch (reason) {
    case 'gpu': return 'On a graphics processor the engine has only its own storage formats';
    case 'stock': return 'Loupe\'s own engine is not in use here';
    case undefined: return 'The engine in use lacks the formats of this preset';
  }
};

const cost = (own: KvFormat): string =>
  `${(pairBits(upstream) / pairBits(own)).toFixed(1)} times the memory, and slower answers in long conversations`;

/** Bits of a key and a value together. */
export const pairBits = (format: KvFormat): number => bitsPerValue(format.keys) + bitsPerValue(format.values);

const typeOf = (bits: Bits, block: 32 | 64): KvType => (block === 64 ? `kv${bits}` : `kv${bits}_32`);

/** Mixed keys need an even number of blocks in a head; where it has none, they have 3 bits throughout. */
const mixedType = (kind: Mixed, { global: { keyHead } }: KvGeometry): KvType => (keyHead % 128 === 0 ? `kv${kind}` : keyHead % 64 === 0 ? `kv${kind}_32` : 'kv3_32');

/** Values of a head that the engine's kernels take at most. */
const largestHead = 512;

/** The block that divides every head of the layers that keep all tokens; undefined where none does. */
function blockOf(kv: KvGeometry): 32 | 64 | undefined {
  const heads = [kv.global.keyHead, kv.global.valueHead];
  return ([64, 32] as const).find((block) => heads.every((size) => size % block === 0 && size <= largestHead));
}

/** Upstream's formats hold for the window layers too. */
const fitsUpstream = ({ global, local }: KvGeometry): boolean =>
  [global.keyHead, global.valueHead, local.keyHead, local.valueHead].every((size) => size % 32 === 0);

/** As node-llama-cpp judges it, from llama.cpp: a compressed cache of values is refused without. */
const hasFlashAttention = ({ architecture, kv }: KvShape): boolean =>
  architecture !== 'grok' && architecture !== 'gemma2' && kv.global.keyHead === kv.global.valueHead;
