import type { GgufHeader } from './gguf.js';
import type { GgufValue } from './ggufMetadata.js';

/** Layers of one kind that keep their own keys and values. Sizes in elements per token and layer. */
export interface KvLayers {
  readonly layers: number;
  readonly keyElements: number;
  readonly valueElements: number;
  /** Elements of one head; formats store a head in whole blocks. */
  readonly keyHead: number;
  readonly valueHead: number;
}

/** What decides how much memory a model's KV cache takes. */
export interface KvGeometry {
  /** Layers that keep every token. */
  readonly global: KvLayers;
  /** Layers that keep only the last `window` tokens. */
  readonly local: KvLayers;
  /** Tokens of the sliding window; 0 without one. */
  readonly window: number;
}

export interface ModelShape {
  /** GGUF `general.architecture`. */
  readonly architecture: string;
  readonly name: string | undefined;
  /** Tokens the model was trained for. */
  readonly trainContext: number;
  readonly layers: number;
  readonly embedding: number;
  readonly vocabulary: number;
  readonly kv: KvGeometry;
  readonly fillInMiddle: boolean;
  readonly chatTemplate: string | undefined;
  /** SPDX-like id as the file says it. */
  readonly license: string | undefined;
  /** The file is one of several that belong together; 1 for a whole model. */
  readonly parts: number;
}

/** Every how many layers one is global, where the file does not say: from llama.cpp's model loaders. */
const windowPatterns: Readonly<Record<string, number>> = { gemma2: 2, gemma3: 6, gemma3n: 5, 'gpt-oss': 2, cohere2: 4 };

/**
 * The attention shape from a header. What the header does not say is taken the way llama.cpp takes it; an architecture whose
 * window pattern is unknown counts as global throughout, which overestimates memory and never underestimates it.
 * Undefined when the numbers make no sense.
 */
export function modelShape(header: GgufHeader): ModelShape | undefined {
  const meta = header.metadata;
  const architecture = text(meta.get('general.architecture'));
  if (!architecture) return undefined;
  const get = (key: string): GgufValue | undefined => meta.get(`${architecture}.${key}`);
  const layers = count(get('block_count'), 10_000);
  const embedding = count(get('embedding_length'), 1_000_000);
  const trainContext = count(get('context_length'), 100_000_000);
  const heads = perLayer(get('attention.head_count'), layers ?? 0);
  if (layers === undefined || embedding === undefined || trainContext === undefined || !heads) return undefined;
  const kvHeads = perLayer(get('attention.head_count_kv'), layers) ?? heads;
  const headSize = heads[0] ? Math.floor(embedding / heads[0]) : 0;
  const keySize = count(get('attention.key_length'), 65_536) ?? headSize;
  const valueSize = count(get('attention.value_length'), 65_536) ?? headSize;
  const localKeySize = count(get('attention.key_length_swa'), 65_536) ?? keySize;
  const localValueSize = count(get('attention.value_length_swa'), 65_536) ?? valueSize;
  const window = count(get('attention.sliding_window'), 100_000_000) ?? 0;
  const own = layers - Math.min(layers, count(get('attention.shared_kv_layers'), 10_000) ?? 0);
  const isLocal = window > 0 ? localLayers(architecture, get('attention.sliding_window_pattern')) : () => false;

  const global = { layers: 0, keyElements: 0, valueElements: 0, keyHead: keySize, valueHead: valueSize };
  const local = { layers: 0, keyElements: 0, valueElements: 0, keyHead: localKeySize, valueHead: localValueSize };
  for (let layer = 0; layer < own; layer++) {
    const h = kvHeads[layer] ?? 0;
    const kind = isLocal(layer) ? local : global;
    const sizes: readonly [number, number] = kind === local ? [localKeySize, localValueSize] : [keySize, valueSize];
    kind.layers++;
    kind.keyElements += h * sizes[0];
    kind.valueElements += h * sizes[1];
  }
  return {
    architecture, trainContext, layers, embedding,
    name: text(meta.get('general.name')),
    vocabulary: header.vocabularySize,
    kv: { global: mean(global), local: mean(local), window: local.layers > 0 ? window : 0 },
    fillInMiddle: hasFillInMiddle(header),
    chatTemplate: text(meta.get('tokenizer.chat_template')),
    license: text(meta.get('general.license')),
    parts: Math.max(1, count(meta.get('split.count'), 1000) ?? 1),
  };
}

/** Head counts may differ between layers; what is kept is the mean, so that layers x elements is the exact sum. */
const mean = (sum: KvLayers): KvLayers => (sum.layers === 0 ? { ...sum, keyHead: 0, valueHead: 0 } : {
  ...sum, keyElements: sum.keyElements / sum.layers, valueElements: sum.valueElements / sum.layers,
});

function localLayers(architecture: string, pattern: GgufValue | undefined): (layer: number) => boolean {
  if (Array.isArray(pattern)) return (layer) => Boolean(pattern[layer]);
  const every = count(pattern, 10_000) ?? windowPatterns[architecture];
  if (!every) return () => false;
  return (layer) => layer % every < every - 1;
}

function hasFillInMiddle(header: GgufHeader): boolean {
  const meta = header.metadata;
  if (meta.has('tokenizer.ggml.fim_pre_token_id') && meta.has('tokenizer.ggml.fim_suf_token_id')) return true;
  const found = [...header.fillInMiddleTokens];
  return found.some((t) => /prefix|PRE|begin/i.test(t)) && found.some((t) => /suffix|SUF|hole/i.test(t));
}

const text = (value: GgufValue | undefined): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

function count(value: GgufValue | undefined, limit: number): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= limit ? value : undefined;
}

/** A number that holds for all layers, or one number for each. */
function perLayer(value: GgufValue | undefined, layers: number): readonly number[] | undefined {
  if (Array.isArray(value)) {
    const values = value.map((item) => count(item as GgufValue, 65_536));
    return values.every((item) => item !== undefined) ? values : undefined;
  }
  const one = count(value, 65_536);
  return one === undefined ? undefined : Array<number>(layers).fill(one);
}
