// Gemma 4 files with random weights, few layers and narrow feed-forward parts, but with the attention of the real models: heads and their sizes,
// windows, layers that use another one's keys and values, keys and values from one projection, RoPE on a quarter of a global head.
// The tensors are those that llama.cpp's src/models/gemma4.cpp asks for.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { cached } from '../../../scripts/lib/cache.mjs';
import { cacheRoot, fromRoot } from '../../../scripts/lib/paths.mjs';
import { ggufHeader, writeGguf } from './ggufWriter.mjs';
import { constantF32, logNormalF32, normalF16 } from './randomTensors.mjs';

const globalHead = 512, localHead = 256, vocabulary = 512, perLayerEmbedding = 256, experts = 4, expertWidth = 64;

/**
 * One layer of `every` keeps all tokens, the last of each group. `shared`: how many layers at the end use the keys and values of the last layer
 * of their kind before them. `kvHeads` of [a window layer, a global one]. `few`: what replaces the real numbers in a file that is to be small;
 * two global layers with keys of their own remain in each.
 */
export const geometries = {
  'gemma4-e2b': { layers: 35, shared: 20, every: 5, heads: 8, kvHeads: [1, 1], window: 512, context: 131_072, perLayer: true, wideShared: true, few: { layers: 15, shared: 5, embedding: 256 } },
  'gemma4-e4b': { layers: 42, shared: 18, every: 6, heads: 8, kvHeads: [2, 2], window: 512, context: 131_072, perLayer: true, few: { layers: 18, shared: 6, embedding: 256 } },
  'gemma4-26b-a4b': { layers: 30, shared: 0, every: 6, heads: 16, kvHeads: [8, 2], window: 1024, context: 262_144, sameKv: true, experts: true, few: { layers: 12, embedding: 192 } },
  'gemma4-31b': { layers: 60, shared: 0, every: 6, heads: 32, kvHeads: [16, 4], window: 1024, context: 262_144, sameKv: true, few: { layers: 12, embedding: 128 } },
};

/** The geometry of `name`, small unless `allLayers` is set. Throws for a name that is not in the table. */
export function geometryOf(name, { allLayers = false } = {}) {
  const real = geometries[name];
  if (!real) throw new Error(`There is no geometry ${name}; there are ${Object.keys(geometries).join(', ')}.`);
  return { ...real, embedding: real.few.embedding, ...(allLayers ? {} : real.few), name };
}

const isGlobal = (g, layer) => layer % g.every === g.every - 1;
const ownsKv = (g, layer) => layer < g.layers - g.shared;
const perLayer = (g, f) => Array.from({ length: g.layers }, (_, layer) => f(layer));
const feedForward = (g, layer) => (g.wideShared && !ownsKv(g, layer) ? 512 : 256);

/** Bytes as tokens, a few texts besides: what llama.cpp's tokenizer of Gemma 4 needs to be loaded. */
function tokenizer() {
  const special = ['<pad>', '<eos>', '<bos>', '<unk>'];
  const bytes = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`);
  const words = Array.from({ length: vocabulary - special.length - bytes.length }, (_, i) => `w${i}`);
  const types = [...special.map((_, i) => (i === 3 ? 2 : 3)), ...bytes.map(() => 6), ...words.map(() => 1)]; // control, unknown; byte; normal
  return [
    ['tokenizer.ggml.model', 'string', 'gemma4'], ['tokenizer.ggml.tokens', 'string', [...special, ...bytes, ...words]],
    ['tokenizer.ggml.token_type', 'i32', types], ['tokenizer.ggml.scores', 'f32', types.map(() => 0)], ['tokenizer.ggml.merges', 'string', ['w 1']],
    ['tokenizer.ggml.padding_token_id', 'u32', 0], ['tokenizer.ggml.eos_token_id', 'u32', 1], ['tokenizer.ggml.bos_token_id', 'u32', 2],
    ['tokenizer.ggml.unknown_token_id', 'u32', 3], ['tokenizer.ggml.add_bos_token', 'bool', true],
  ];
}

/** What the header says, as [key, type, value]. */
export function metadata(g) {
  const own = [
    ['block_count', 'u32', g.layers], ['context_length', 'u32', g.context], ['embedding_length', 'u32', g.embedding],
    ['feed_forward_length', 'u32', perLayer(g, layer => feedForward(g, layer))],
    ['attention.head_count', 'u32', g.heads], ['attention.head_count_kv', 'u32', perLayer(g, layer => g.kvHeads[isGlobal(g, layer) ? 1 : 0])],
    ['attention.key_length', 'u32', globalHead], ['attention.value_length', 'u32', globalHead],
    ['attention.key_length_swa', 'u32', localHead], ['attention.value_length_swa', 'u32', localHead],
    ['attention.sliding_window', 'u32', g.window], ['attention.sliding_window_pattern', 'bool', perLayer(g, layer => !isGlobal(g, layer))],
    ['attention.shared_kv_layers', 'u32', g.shared], ['attention.layer_norm_rms_epsilon', 'f32', 1e-6],
    ['embedding_length_per_layer_input', 'u32', g.perLayer ? perLayerEmbedding : 0], ['final_logit_softcapping', 'f32', 30],
    ['rope.freq_base', 'f32', 1e6], ['rope.freq_base_swa', 'f32', 1e4], ['rope.dimension_count', 'u32', globalHead], ['rope.dimension_count_swa', 'u32', localHead],
    // All experts are used: where only some are, a last digit decides which, and the results of equal caches would differ like night and day.
    ...(g.experts ? [['expert_count', 'u32', experts], ['expert_used_count', 'u32', experts], ['expert_feed_forward_length', 'u32', expertWidth]] : []),
  ];
  return [
    ['general.architecture', 'string', 'gemma4'], ['general.name', 'string', `Random ${g.name}`], ['general.file_type', 'u32', 1],
    ...own.map(([key, ...rest]) => [`gemma4.${key}`, ...rest]), ...tokenizer(),
  ];
}

// How a tensor is filled. A projection keeps the size of what comes in; a norm weight is around `middle`, different in every place.
const projection = (name, ...dimensions) => ({ name: `${name}.weight`, type: 'f16', dimensions, deviation: 1 / Math.sqrt(dimensions[0]) });
const norm = (name, count, middle = 1, spread = 0.2) => ({ name, type: 'f32', dimensions: [count], middle, spread });

/** Tensors with what fills them, in the order of the file. */
export function tensors(g) {
  const e = g.embedding;
  const list = [projection('token_embd', e, vocabulary), norm('output_norm.weight', e, 3)];
  // p-RoPE: the pairs behind the first quarter get a factor that stops them.
  list.push({ name: 'rope_freqs.weight', type: 'f32', dimensions: [globalHead / 2], values: Array.from({ length: globalHead / 2 }, (_, i) => (i < globalHead / 8 ? 1 : 1e30)) });
  if (g.perLayer) {
    list.push({ ...projection('per_layer_token_embd', perLayerEmbedding * g.layers, vocabulary), deviation: 1 / Math.sqrt(perLayerEmbedding) });
    list.push(projection('per_layer_model_proj', e, perLayerEmbedding * g.layers), norm('per_layer_proj_norm.weight', perLayerEmbedding));
  }
  for (let layer = 0; layer < g.layers; layer++) list.push(...layerTensors(g, layer));
  return list;
}

function layerTensors(g, layer) {
  const e = g.embedding, global = isGlobal(g, layer);
  const at = name => `blk.${layer}.${name}`;
  const head = global ? globalHead : localHead, kv = head * g.kvHeads[global ? 1 : 0], q = head * g.heads;
  // Scores have a standard deviation of E[w^2]*sqrt(head) = 1.65*middle^2*sqrt(head), about 2, so that some ten tokens of a thousand get most of
  // the attention; the weights differ from value to value and from layer to layer, so that each layer's balance is its own.
  const middle = Math.sqrt(1.25 / Math.sqrt(head));
  const list = [
    norm(at('attn_norm.weight'), e), projection(at('attn_q'), e, q), norm(at('attn_q_norm.weight'), head, middle, 0.5),
    projection(at('attn_output'), q, e), norm(at('post_attention_norm.weight'), e, 0.7), norm(at('layer_output_scale.weight'), 1, 0.9, 0),
    ...feedForwardTensors(g, at, feedForward(g, layer)),
  ];
  if (ownsKv(g, layer)) {
    list.push(projection(at('attn_k'), e, kv), norm(at('attn_k_norm.weight'), head, middle, 0.5));
    if (!(g.sameKv && global)) list.push(projection(at('attn_v'), e, kv));
  }
  if (g.perLayer) list.push(projection(at('inp_gate'), e, perLayerEmbedding), projection(at('proj'), perLayerEmbedding, e), norm(at('post_norm.weight'), e, 0.3));
  return list;
}

function feedForwardTensors(g, at, width) {
  const e = g.embedding;
  const list = [
    norm(at('ffn_norm.weight'), e), projection(at('ffn_gate'), e, width), projection(at('ffn_up'), e, width), projection(at('ffn_down'), width, e),
    norm(at('post_ffw_norm.weight'), e, 0.7),
  ];
  if (g.experts) {
    list.push(
      projection(at('ffn_gate_inp'), e, experts), norm(at('ffn_gate_inp.scale'), e, Math.sqrt(e)), norm(at('pre_ffw_norm_2.weight'), e),
      norm(at('post_ffw_norm_1.weight'), e, 0.7), norm(at('post_ffw_norm_2.weight'), e, 0.7),
      projection(at('ffn_gate_up_exps'), e, 2 * expertWidth, experts), projection(at('ffn_down_exps'), expertWidth, e, experts), norm(at('ffn_down_exps.scale'), experts),
    );
  }
  return list;
}

function contentOf(tensor, seed) {
  const count = tensor.dimensions.reduce((product, n) => product * n, 1);
  if (tensor.values) return constantF32(tensor.values);
  const own = `${seed} ${tensor.name}`;
  return tensor.type === 'f16' ? normalF16(own, count, tensor.deviation) : logNormalF32(own, count, tensor.middle, tensor.spread);
}

/** A file whose header is right and whose tensors are a hole: with all layers of the real model, for what reads headers only. */
export function writeHeaderOnly(file, g) {
  const { header, fileBytes } = ggufHeader(metadata(g), tensors(g));
  fs.writeFileSync(file, header);
  fs.truncateSync(file, fileBytes);
}

/** Path of the small model `name` in the cache folder, made first unless it is there. The same bytes everywhere. */
export async function ensureGemma4(name) {
  const g = geometryOf(name);
  const sources = ['gemma4.mjs', 'ggufWriter.mjs', 'randomTensors.mjs'].map(file => fs.readFileSync(fromRoot('native', 'bench', 'gemma4', file)));
  const hash = createHash('sha256').update(Buffer.concat(sources)).digest('hex').slice(0, 16);
  return cached(`make ${name} with random weights`, path.join(cacheRoot(), 'native', 'models', hash, `${name}.gguf`), async work => {
    const made = path.join(work, 'model.gguf');
    writeGguf(made, metadata(g), tensors(g), tensor => contentOf(tensor, name));
    return made;
  });
}
