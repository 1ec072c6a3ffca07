/** Writes small GGUF files for tests, byte by byte, so that a test can also write wrong ones. */
export const u32 = (value: number): Buffer => {
  const b = Buffer.alloc(4);
  b.writeUInt32LE(value);
  return b;
};
export const u64 = (value: number | bigint): Buffer => {
  const b = Buffer.alloc(8);
  b.writeBigUInt64LE(BigInt(value));
  return b;
};
export const text = (value: string): Buffer => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);

export type Entry = readonly [key: string, value: string | number | boolean | readonly string[] | readonly number[]];

function entry([key, value]: Entry): Buffer {
  if (typeof value === 'string') return Buffer.concat([text(key), u32(8), text(value)]);
  if (typeof value === 'boolean') return Buffer.concat([text(key), u32(7), Buffer.from([value ? 1 : 0])]);
  if (typeof value === 'number') return Buffer.concat([text(key), u32(4), u32(value)]);
  const strings = typeof value[0] === 'string';
  return Buffer.concat([text(key), u32(9), u32(strings ? 8 : 4), u64(value.length), ...value.map((v) => (typeof v === 'string' ? text(v) : u32(v)))]);
}

export interface TensorSpec { readonly name: string; readonly dimensions: readonly number[]; readonly type: number; readonly bytes: number }

const padded = (size: number): number => Math.ceil(size / 32) * 32;

/** A whole file; tensor data is zeros. */
export function ggufFile(entries: readonly Entry[], tensors: readonly TensorSpec[]): Buffer {
  let offset = 0;
  const infos = tensors.map((tensor) => {
    const info = Buffer.concat([text(tensor.name), u32(tensor.dimensions.length), ...tensor.dimensions.map(u64), u32(tensor.type), u64(offset)]);
    offset += padded(tensor.bytes);
    return info;
  });
  const header = Buffer.concat([Buffer.from('GGUF'), u32(3), u64(tensors.length), u64(entries.length), ...entries.map(entry), ...infos]);
  return Buffer.concat([header, Buffer.alloc(padded(header.length) - header.length), Buffer.alloc(offset)]);
}

/** Metadata of a model that has everything we read. `vocabulary` tokens are added after the fill-in-the-middle ones. */
export function qwenLike(vocabulary = 5000): Buffer {
  return ggufFile([
    ['general.architecture', 'qwen2'], ['general.name', 'Tiny Coder'],
    ['qwen2.block_count', 2], ['qwen2.context_length', 4096], ['qwen2.embedding_length', 64],
    ['qwen2.attention.head_count', 4], ['qwen2.attention.head_count_kv', 2],
    ['tokenizer.ggml.tokens', ['<|fim_prefix|>', '<|fim_suffix|>', '<|fim_middle|>', ...Array.from({ length: vocabulary }, (_, i) => `t${i}`)]],
    ['tokenizer.chat_template', '{{ messages }}'],
  ], [
    { name: 'token_embd.weight', dimensions: [64, 8], type: 8, bytes: (64 / 32) * 34 * 8 },
    { name: 'output_norm.weight', dimensions: [64], type: 0, bytes: 256 },
  ]);
}
