import { open } from 'node:fs/promises';
import { makeError, messageOf } from '../base/errors.js';
import { err, ok, type Result } from '../base/result.js';
import { GgufProblem, GgufReader } from './ggufReader.js';

/**
 * The header of a GGUF file (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md), read in full before any native
 * code sees the file: a model file is hostile input. Values of long arrays (the vocabulary) are not kept.
 */
export interface GgufHeader {
  readonly version: number;
  /** Scalar and short-array metadata by key, for example `general.architecture`. */
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly GgufTensor[];
  /** Where tensor data begins, in bytes from the start of the file. */
  readonly dataOffset: number;
  readonly fileBytes: number;
}

export type GgufValue = string | number | boolean | readonly (string | number | boolean)[];

export interface GgufTensor {
  readonly name: string;
  readonly dimensions: readonly number[];
  /** ggml type number. */
  readonly type: number;
  /** Bytes from {@link GgufHeader.dataOffset}. */
  readonly offset: number;
}

const keptArrayLength = 4096;
const maximumTensors = 1 << 20;
const maximumKeys = 1 << 16;
const stringType = 8;
const arrayType = 9;
const fixedSizes: readonly (number | undefined)[] = [1, 1, 2, 2, 4, 4, 4, 1, undefined, undefined, 8, 8, 8];

/** ggml types: [elements per block, bytes per block]. Types of later releases are absent: their size is not checked. */
const blockSizes: Readonly<Record<number, readonly [elements: number, bytes: number]>> = {
  0: [1, 4], 1: [1, 2], 2: [32, 18], 3: [32, 20], 6: [32, 22], 7: [32, 24], 8: [32, 34], 9: [32, 36],
  10: [256, 84], 11: [256, 110], 12: [256, 144], 13: [256, 176], 14: [256, 210], 15: [256, 292],
  16: [256, 66], 17: [256, 74], 18: [256, 98], 19: [256, 50], 20: [32, 18], 21: [256, 110], 22: [256, 82], 23: [256, 136],
  24: [1, 1], 25: [1, 2], 26: [1, 4], 27: [1, 8], 28: [1, 8], 29: [256, 56], 30: [1, 2], 34: [256, 54], 35: [256, 66], 39: [32, 17],
};

/**
 * Reads and checks the header of the file at `path`.
 * Errors: `model.notFound`, `model.notGguf` (wrong magic, version or impossible counts), `model.truncated` (the header or the
 * tensor data it promises runs past the end of the file).
 */
export async function readGguf(path: string): Promise<Result<GgufHeader>> {
  let file;
  try {
    file = await open(path, 'r');
  } catch (thrown) {
    return err(makeError('model.notFound', `The model file ${path} cannot be opened.`, 'Choose another model, or download this one again.', thrown));
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new GgufProblem('notGguf', 'it is not a regular file');
    const header = await readHeader(new GgufReader(file, stat.size));
    checkTensors(header);
    return ok(header);
  } catch (thrown) {
    if (!(thrown instanceof GgufProblem)) {
      return err(makeError('model.loadFailed', `The model file ${path} cannot be read.`, 'Check the disk and the rights of the file.', thrown));
    }
    return err(thrown.kind === 'truncated'
      ? makeError('model.truncated', `The model file ${path} is incomplete: ${thrown.message}.`, 'Download the model again.', messageOf(thrown))
      : makeError('model.notGguf', `${path} is not a GGUF model file: ${thrown.message}.`, 'Choose a file in the GGUF format.', messageOf(thrown)));
  } finally {
    await file.close();
  }
}

async function readHeader(reader: GgufReader): Promise<GgufHeader> {
  if (reader.size < 4) throw new GgufProblem('notGguf', 'it is too short');
  if ((await reader.u32()) !== 0x46554747) throw new GgufProblem('notGguf', 'it does not begin with "GGUF"');
  const version = await reader.u32();
  if (version !== 2 && version !== 3) throw new GgufProblem('notGguf', `version ${version} is unknown`);
  const tensorCount = await reader.u64();
  const keyCount = await reader.u64();
  if (tensorCount > maximumTensors || keyCount > maximumKeys) throw new GgufProblem('notGguf', `${tensorCount} tensors and ${keyCount} keys are impossible`);

  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < keyCount; i++) {
    const key = await reader.string();
    const value = await readValue(reader, await reader.u32());
    if (value !== undefined) metadata.set(key, value);
  }
  const tensors: GgufTensor[] = [];
  for (let i = 0; i < tensorCount; i++) {
    const name = await reader.string();
    const rank = await reader.u32();
    if (rank > 8) throw new GgufProblem('notGguf', `a tensor with ${rank} dimensions is impossible`);
    const dimensions: number[] = [];
    for (let d = 0; d < rank; d++) dimensions.push(await reader.u64());
    tensors.push({ name, dimensions, type: await reader.u32(), offset: await reader.u64() });
  }
  const alignment = metadata.get('general.alignment') ?? 32;
  if (typeof alignment !== 'number' || alignment < 1 || alignment > 1 << 16) throw new GgufProblem('notGguf', 'its alignment is impossible');
  return { version, metadata, tensors, dataOffset: Math.ceil(reader.position / alignment) * alignment, fileBytes: reader.size };
}

/** The value, or undefined for an array too long to keep. */
async function readValue(reader: GgufReader, type: number): Promise<GgufValue | undefined> {
  if (type !== arrayType) return readScalar(reader, type);
  const elementType = await reader.u32();
  const length = await reader.u64();
  if (elementType === arrayType) throw new GgufProblem('notGguf', 'nested arrays are not supported');
  const elementBytes = elementType === stringType ? 8 : fixedSizes[elementType];
  if (elementBytes === undefined) throw new GgufProblem('notGguf', `value type ${elementType} is unknown`);
  if (length * elementBytes > reader.size - reader.position) throw new GgufProblem('truncated', `an array of ${length} values runs past the end`);
  if (length <= keptArrayLength) {
    const values: (string | number | boolean)[] = [];
    for (let i = 0; i < length; i++) values.push(await readScalar(reader, elementType));
    return values;
  }
  if (elementType === stringType) for (let i = 0; i < length; i++) await reader.skip(await reader.u64());
  else await reader.skip(length * elementBytes);
  return undefined;
}

async function readScalar(reader: GgufReader, type: number): Promise<string | number | boolean> {
  switch (type) {
    case 0: return reader.u8();
    case 1: return reader.i8();
    case 2: return reader.u16();
    case 3: return reader.i16();
    case 4: return reader.u32();
    case 5: return reader.i32();
    case 6: return reader.f32();
    case 7: return (await reader.u8()) !== 0;
    case stringType: return reader.string();
    case 10: return reader.u64();
    case 11: return reader.i64();
    case 12: return reader.f64();
    default: throw new GgufProblem('notGguf', `value type ${type} is unknown`);
  }
}

function checkTensors(header: GgufHeader): void {
  for (const tensor of header.tensors) {
    const elements = tensor.dimensions.reduce((product, size) => product * size, 1);
    const block = blockSizes[tensor.type];
    const bytes = block ? Math.ceil(elements / block[0]) * block[1] : 1;
    const end = header.dataOffset + tensor.offset + bytes;
    if (end > header.fileBytes) {
      throw new GgufProblem('truncated', `it has ${header.fileBytes} bytes, and the tensor ${tensor.name.slice(0, 80)} needs ${end}`);
    }
  }
}
