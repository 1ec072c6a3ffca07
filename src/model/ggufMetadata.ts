import { BadHeader, type GgufReader, quote, readString } from './ggufReader.js';

export type GgufValue = string | number | boolean | readonly (string | number | boolean)[];

/** What is learnt from the vocabulary while it is skipped. */
export interface Vocabulary { size: number; readonly fillInMiddle: Set<string> }

/**
 * Far above every real file and far below what would hurt: a header claims these numbers itself, and llama.cpp would
 * allocate up to a gigabyte for one string.
 */
const limits = {
  arrayElements: 8 * 1024 * 1024,
  keptArrayElements: 4096,
  keyBytes: 65_535,
  stringBytes: 4 * 1024 * 1024,
  keptBytes: 16 * 1024 * 1024,
  headerBytes: 512 * 1024 * 1024,
};

const fillInMiddleTexts = new Set([
  '<|fim_prefix|>', '<|fim_suffix|>', '<|fim_middle|>', '<fim_prefix>', '<fim_suffix>', '<fim_middle>',
  '<fim-prefix>', '<fim-suffix>', '<fim-middle>', '<｜fim▁begin｜>', '<｜fim▁hole｜>', '<｜fim▁end｜>',
  '▁<PRE>', '▁<SUF>', '▁<MID>', '<PRE>', '<SUF>', '<MID>', '[PREFIX]', '[SUFFIX]', '[MIDDLE]',
  '<|repo_name|>', '<|file_sep|>', '<file_sep>', '<|file_separator|>', '<|fim_pad|>',
]);
const longestFillInMiddleText = Math.max(...[...fillInMiddleTexts].map((text) => Buffer.byteLength(text)));

/** All metadata entries of a header, with memory and time bounded whatever the entries claim. Throws BadHeader and EndOfFile. */
export async function readMetadata(r: GgufReader, count: number, vocabulary: Vocabulary): Promise<Map<string, GgufValue>> {
  const metadata = new Map<string, GgufValue>();
  const budget: Budget = { left: limits.keptBytes };
  for (let i = 0; i < count; i++) {
    const key = await readString(r, limits.keyBytes);
    if (metadata.has(key)) throw new BadHeader(`the key ${quote(key)} occurs twice`);
    await r.fill(4);
    const type = r.u32();
    spend(budget, key.length + 16);
    if (type === valueTypes.array) {
      const values = await readArray(r, key, vocabulary, budget);
      if (values) metadata.set(key, values);
    } else if (type === valueTypes.string) {
      const text = await readString(r, limits.stringBytes);
      spend(budget, text.length);
      metadata.set(key, text);
    } else metadata.set(key, await readScalar(r, type));
    if (r.position > limits.headerBytes) throw new BadHeader('its header is too long');
  }
  return metadata;
}

/** Characters that may still be kept in memory. */
interface Budget { left: number }

function spend(budget: Budget, amount: number): void {
  budget.left -= amount;
  if (budget.left < 0) throw new BadHeader('its metadata is too large');
}

const valueTypes = { string: 8, array: 9 };
const scalarBytes: Readonly<Record<number, number>> = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 };

async function readScalar(r: GgufReader, type: number): Promise<number | boolean> {
  const size = scalarBytes[type];
  if (size === undefined) throw new BadHeader(`it has metadata of the unknown type ${type}`);
  if (r.buffered < size) await r.fill(size);
  switch (type) {
    case 0: return r.u8();
    case 1: return r.i8();
    case 2: return r.u16();
    case 3: return r.i16();
    case 4: return r.u32();
    case 5: return r.i32();
    case 6: return r.f32();
    case 7: return r.u8() !== 0;
    case 10: return r.u64();
    case 11: return r.i64();
    default: return r.f64();
  }
}

/** Its elements, or undefined when there are too many to keep. */
async function readArray(r: GgufReader, key: string, vocabulary: Vocabulary, budget: Budget): Promise<GgufValue | undefined> {
  await r.fill(12);
  const type = r.u32();
  const length = r.u64();
  if (length > limits.arrayElements) throw new BadHeader(`${quote(key)} claims ${length} elements`);
  const tokens = key === 'tokenizer.ggml.tokens';
  if (tokens) vocabulary.size = length;
  if (type === valueTypes.string) return readStrings(r, length, tokens ? vocabulary.fillInMiddle : undefined, budget);
  const size = scalarBytes[type];
  if (size === undefined) throw new BadHeader(`${quote(key)} is an array of the unknown type ${type}`);
  if (length > limits.keptArrayElements) {
    r.skip(length * size);
    return undefined;
  }
  spend(budget, length * 8);
  const values: (number | boolean)[] = [];
  for (let i = 0; i < length; i++) values.push(await readScalar(r, type));
  return values;
}

async function readStrings(r: GgufReader, length: number, found: Set<string> | undefined, budget: Budget): Promise<GgufValue | undefined> {
  const keep = length <= limits.keptArrayElements;
  const values: string[] = [];
  for (let i = 0; i < length; i++) {
    if (r.buffered < 8) await r.fill(8);
    const size = r.u64();
    if (size > limits.stringBytes) throw new BadHeader(`it has a string of ${size} bytes`);
    if (r.buffered < size) await r.fill(size);
    if (keep) {
      spend(budget, size + 16);
      values.push(r.bytes(size).toString('utf8'));
    } else if (found && size <= longestFillInMiddleText) collect(r.bytes(size), found);
    else r.skip(size);
    if (r.position > limits.headerBytes) throw new BadHeader('its header is too long');
  }
  if (!keep) return undefined;
  if (found) for (const text of values) if (fillInMiddleTexts.has(text)) found.add(text);
  return values;
}

/** `<`, `[` and the first byte of `▁`: decoding a quarter of a million tokens for twenty would be a waste. */
function collect(token: Buffer, found: Set<string>): void {
  const first = token[0];
  if (first !== 0x3c && first !== 0x5b && first !== 0xe2) return;
  const text = token.toString('utf8');
  if (fillInMiddleTexts.has(text)) found.add(text);
}
