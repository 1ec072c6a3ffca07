// Writes GGUF files (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md), version 3, tensor by tensor, so that a file need not fit in memory.
import fs from 'node:fs';

const alignment = 32;
const padded = size => Math.ceil(size / alignment) * alignment;
const scalarTypes = { u32: 4, i32: 5, f32: 6, bool: 7, string: 8 };

/** ggml types that can be written, with the bytes of one value. */
export const tensorTypes = { f32: { number: 0, bytes: 4 }, f16: { number: 1, bytes: 2 } };

function scalar(type, value) {
  const bytes = Buffer.alloc(type === 'bool' ? 1 : type === 'string' ? 8 : 4);
  if (type === 'u32') bytes.writeUInt32LE(value);
  else if (type === 'i32') bytes.writeInt32LE(value);
  else if (type === 'f32') bytes.writeFloatLE(value);
  else if (type === 'bool') bytes.writeUInt8(value ? 1 : 0);
  else {
    bytes.writeBigUInt64LE(BigInt(Buffer.byteLength(value)));
    return Buffer.concat([bytes, Buffer.from(value)]);
  }
  return bytes;
}
const u32 = value => scalar('u32', value);
const string = value => scalar('string', value);
function u64(value) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

/** `value`: a scalar, or an array of such, of `type` u32, i32, f32, bool or string. */
function entry([key, type, value]) {
  const number = scalarTypes[type];
  if (!Array.isArray(value)) return Buffer.concat([string(key), u32(number), scalar(type, value)]);
  return Buffer.concat([string(key), u32(9), u32(number), u64(value.length), ...value.map(one => scalar(type, one))]);
}

const elements = tensor => tensor.dimensions.reduce((product, n) => product * n, 1);
const tensorBytes = tensor => elements(tensor) * tensorTypes[tensor.type].bytes;

/**
 * Everything in front of the tensors' data, and the size of the whole file.
 * entries: [key, type, value]; tensors: { name, type: 'f32' | 'f16', dimensions }, the fastest dimension first.
 */
export function ggufHeader(entries, tensors) {
  let offset = 0;
  const infos = tensors.map(tensor => {
    const { name, dimensions, type } = tensor;
    const info = Buffer.concat([string(name), u32(dimensions.length), ...dimensions.map(u64), u32(tensorTypes[type].number), u64(offset)]);
    offset += padded(tensorBytes(tensor));
    return info;
  });
  const header = Buffer.concat([Buffer.from('GGUF'), u32(3), u64(tensors.length), u64(entries.length), ...entries.map(entry), ...infos]);
  return { header: Buffer.concat([header, Buffer.alloc(padded(header.length) - header.length)]), fileBytes: padded(header.length) + offset };
}

/** The whole file. `data(tensor)` gives the bytes of each tensor in turn; a wrong number of them throws. */
export function writeGguf(file, entries, tensors, data) {
  const handle = fs.openSync(file, 'w');
  try {
    fs.writeSync(handle, ggufHeader(entries, tensors).header);
    for (const tensor of tensors) {
      const bytes = data(tensor);
      if (bytes.length !== tensorBytes(tensor)) throw new Error(`${tensor.name}: ${bytes.length} bytes instead of ${tensorBytes(tensor)}`);
      fs.writeSync(handle, bytes);
      fs.writeSync(handle, Buffer.alloc(padded(bytes.length) - bytes.length));
    }
  } finally {
    fs.closeSync(handle);
  }
}
