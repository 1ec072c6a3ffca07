import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { type LoupeError, LoupeFailure, failure, makeError } from '../base/errors.js';
import { type Result, err, ok } from '../base/result.js';
import { type GgufValue, type Vocabulary, readMetadata } from './ggufMetadata.js';
import { BadHeader, EndOfFile, GgufReader, quote, readString } from './ggufReader.js';
import { isTensorType, tensorBytes } from './ggufTensorTypes.js';

export interface GgufTensor {
  readonly name: string;
  readonly dimensions: readonly number[];
  /** ggml type number. */
  readonly type: number;
  /** Bytes from {@link GgufHeader.dataOffset}. */
  readonly offset: number;
  /** Bytes of its data, without padding. */
  readonly bytes: number;
}

export interface GgufHeader {
  readonly version: number;
  /** Scalars and short arrays by key, for example `general.architecture`. Long arrays such as the vocabulary are left out. */
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly GgufTensor[];
  /** Where tensor data begins, in bytes from the start of the file. */
  readonly dataOffset: number;
  readonly fileBytes: number;
  /** Vocabulary size; 0 when the file has none. */
  readonly vocabularySize: number;
  /** Fill-in-the-middle tokens that occur in the vocabulary, by their text. */
  readonly fillInMiddleTokens: ReadonlySet<string>;
}

/** Far above every real file. */
const limits = { metadataEntries: 65_536, tensors: 65_536, tensorNameBytes: 256 };

/**
 * Reads the header of a GGUF file (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md) and checks that every tensor
 * lies inside the file, by the rules that llama.cpp's loader applies, so that a damaged or hostile file is refused before
 * native code sees it. Reads the header only (some MB), asynchronously. Never throws.
 * Errors: `model.notFound`, `model.notGguf`, `model.truncated`, `model.unsupported`.
 */
export async function readGguf(file: string): Promise<Result<GgufHeader>> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, 'r');
    const stat = await handle.stat();
    if (!stat.isFile()) return err(notGguf(file, 'it is not a regular file'));
    return ok(await readHeader(file, new GgufReader(handle, stat.size)));
  } catch (thrown) {
    return err(describe(file, thrown));
  } finally {
    await handle?.close();
  }
}

async function readHeader(file: string, r: GgufReader): Promise<GgufHeader> {
  await checkMagic(r);
  await r.fill(20);
  const version = r.u32();
  if (version === 1) throw unsupported(file, 'its GGUF version 1 is no longer supported');
  if (version > 0xffff) throw unsupported(file, 'it is a big-endian file');
  if (version !== 2 && version !== 3) throw unsupported(file, `its GGUF version ${version} is unknown`);
  const tensorCount = r.u64();
  const metadataCount = r.u64();
  if (tensorCount > limits.tensors) throw new BadHeader(`it claims ${tensorCount} tensors`);
  if (metadataCount > limits.metadataEntries) throw new BadHeader(`it claims ${metadataCount} metadata entries`);

  const vocabulary: Vocabulary = { size: 0, fillInMiddle: new Set() };
  const metadata = await readMetadata(r, metadataCount, vocabulary);
  const alignment = alignmentOf(metadata);
  const tensors = await readTensors(file, r, tensorCount, alignment);
  const dataOffset = pad(r.position, alignment);
  const last = tensors.at(-1);
  if (last && dataOffset + last.offset + last.bytes > r.fileBytes) throw new EndOfFile();
  return {
    version, metadata, tensors, dataOffset,
    fileBytes: r.fileBytes, vocabularySize: vocabulary.size, fillInMiddleTokens: vocabulary.fillInMiddle,
  };
}

async function checkMagic(r: GgufReader): Promise<void> {
  if (r.fileBytes === 0) throw new BadHeader('it is empty');
  const start = Math.min(24, r.fileBytes);
  await r.fill(start);
  const head = r.bytes(Math.min(4, start)).toString('latin1');
  if (head === 'GGUF') return;
  if (r.fileBytes < 4 && 'GGUF'.startsWith(head)) throw new EndOfFile();
  const text = (head + r.bytes(start - head.length).toString('latin1')).trimStart().toLowerCase();
  if (text.startsWith('<!doctype') || text.startsWith('<html')) throw new BadHeader('it is a web page, so the download went wrong');
  if (text.startsWith('version https://git-lfs')) throw new BadHeader('it is a Git LFS pointer, so the real file was not fetched');
  throw new BadHeader('it does not begin with the GGUF mark');
}

function alignmentOf(metadata: ReadonlyMap<string, GgufValue>): number {
  const alignment = metadata.get('general.alignment') ?? 32;
  if (typeof alignment !== 'number' || !Number.isInteger(Math.log2(alignment)) || alignment < 1 || alignment > 1024 * 1024) {
    throw new BadHeader('its alignment is not a power of two');
  }
  return alignment;
}

/** Tensors follow one another without gaps other than padding; anything else is refused, as llama.cpp does. */
async function readTensors(file: string, r: GgufReader, count: number, alignment: number): Promise<GgufTensor[]> {
  const tensors: GgufTensor[] = [];
  const names = new Set<string>();
  let expected = 0;
  for (let i = 0; i < count; i++) {
    const name = await readString(r, limits.tensorNameBytes);
    if (names.has(name)) throw new BadHeader(`the tensor ${quote(name)} occurs twice`);
    names.add(name);
    await r.fill(4);
    const rank = r.u32();
    if (rank > 4) throw new BadHeader(`the tensor ${quote(name)} has ${rank} dimensions`);
    await r.fill(rank * 8 + 12);
    const dimensions: number[] = [];
    for (let d = 0; d < rank; d++) dimensions.push(r.u64());
    const type = r.u32();
    const offset = r.u64();
    if (!isTensorType(type)) throw unsupported(file, `the tensor ${quote(name)} has the unknown type ${type}`);
    const bytes = tensorBytes(type, dimensions);
    if (bytes === undefined) throw new BadHeader(`the tensor ${quote(name)} has an impossible shape`);
    if (offset !== expected) throw new BadHeader(`the tensor ${quote(name)} lies at the wrong place`);
    tensors.push({ name, dimensions, type, offset, bytes });
    expected = pad(offset + bytes, alignment);
  }
  return tensors;
}

const pad = (value: number, alignment: number): number => Math.ceil(value / alignment) * alignment;

const unsupported = (file: string, why: string): LoupeFailure =>
  failure('model.unsupported', `${path.basename(file)} cannot be loaded: ${why}.`, 'Choose another GGUF file, or update Loupe.');

const notGguf = (file: string, why: string): LoupeError =>
  makeError('model.notGguf', `${path.basename(file)} is not a usable GGUF model: ${why}.`, 'Choose another GGUF file, or delete this one and download it again.');

function describe(file: string, thrown: unknown): LoupeError {
  if (thrown instanceof LoupeFailure) return thrown.error;
  if (thrown instanceof BadHeader) return notGguf(file, thrown.message);
  if (thrown instanceof EndOfFile) {
    return makeError('model.truncated', `${path.basename(file)} is incomplete: the file is shorter than its header says.`,
      'Delete the file and download it again.');
  }
  const code = thrown instanceof Error ? (thrown as NodeJS.ErrnoException).code : undefined;
  if (code === 'EISDIR') return notGguf(file, 'it is a folder');
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return makeError('model.notFound', `There is no model file ${file}.`, 'Choose another model with "Loupe: Choose Model".', thrown);
  }
  return makeError('model.notFound', `The model file ${file} cannot be read.`, 'Check that you may read the file, or choose another model.', thrown);
}
