import { createHmac, timingSafeEqual } from 'node:crypto';
import * as z from 'zod';
import { makeError } from '../../base/errors.js';
import { err, ok, type Result } from '../../base/result.js';
import { kvTypes } from '../../protocol/kv.js';
import { memoryNameSchema } from '../../protocol/memory.js';
import { chainDigits } from './tokenChain.js';

/**
 * The end of a snapshot file. The engine reads a state from the first byte of a file and ignores what follows, so what is ours comes last:
 *
 *     state of the engine | descriptor (JSON, UTF-8) | magic (8) | version (4) | descriptor bytes (4) | state bytes (8) | HMAC-SHA256 (32)
 *
 * Numbers are little-endian. The MAC covers everything from the descriptor to the number of state bytes; the descriptor holds the hash of the state.
 * The descriptor is parsed, and the state shown to native code, only after the MAC or the hash was right.
 */
const magic = Buffer.from('LOUPEKVS');
const version = 1;
export const footerBytes = 56;
const signedFooterBytes = 24;
const longestDescriptor = 256 * 1024;
const mostBytes = 2 ** 40;
export const mostBorders = 1024;

const hex = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`));
const count = (most: number) => z.number().int().min(0).max(most);

const identityShape = {
  model: z.strictObject({ sha256: hex(64), name: z.string().max(300), bytes: count(mostBytes) }),
  /** Binding and release of llama.cpp, see `identity.ts`. */
  engine: z.string().min(1).max(200),
  /** Of the byte layouts of our formats; 0 with the prebuilt engine. */
  formatVersion: count(1_000_000),
  kv: z.strictObject({ keys: z.enum(kvTypes), values: z.enum(kvTypes), windowF16: z.boolean(), f16Rows: count(65_536) }),
  /** Layers, heads and window: what the cache of any context of this model has in common. */
  shape: z.string().min(1).max(300),
};

/** What a state must have in common with an engine that loads it. */
export const identitySchema = z.strictObject(identityShape);
export type Identity = z.infer<typeof identitySchema>;

const borderSchema = z.strictObject({ tokens: count(2 ** 24).min(1), hash: hex(chainDigits) });

export const descriptorSchema = z.strictObject({
  ...identityShape,
  memory: memoryNameSchema,
  tokens: count(2 ** 24).min(1),
  /** Block borders, each with the hash of all tokens before it; the last one is the end. */
  borders: z.array(borderSchema).min(1).max(mostBorders),
  state: z.strictObject({ bytes: count(mostBytes).min(1), sha256: hex(64) }),
  f16Bytes: count(mostBytes),
  createdAt: count(Number.MAX_SAFE_INTEGER),
}).refine(({ borders, tokens }) => borders.at(-1)?.tokens === tokens && borders.every(({ tokens: end }, i) => i === 0 || end > (borders[i - 1]?.tokens ?? 0)));
export type Descriptor = z.infer<typeof descriptorSchema>;
export type Border = z.infer<typeof borderSchema>;

/** Everything after the state. */
export function encodeEnd(descriptor: Descriptor, key: Uint8Array): Buffer {
  const text = Buffer.from(JSON.stringify(descriptorSchema.parse(descriptor)));
  const footer = Buffer.alloc(footerBytes);
  magic.copy(footer);
  footer.writeUInt32LE(version, 8);
  footer.writeUInt32LE(text.length, 12);
  footer.writeBigUInt64LE(BigInt(descriptor.state.bytes), 16);
  macOf(text, footer, key).copy(footer, signedFooterBytes);
  return Buffer.concat([text, footer]);
}

export interface Sizes { readonly descriptorBytes: number; readonly stateBytes: number }

/** Reads the fixed part, the last bytes of a file of `fileBytes` bytes. Nothing in it is trusted; every size fits the file. */
export function decodeFooter(footer: Buffer, fileBytes: number): Result<Sizes> {
  if (footer.length !== footerBytes || !footer.subarray(0, 8).equals(magic)) return damaged('it does not end like a snapshot');
  const found = footer.readUInt32LE(8);
  if (found !== version) return damaged(`its layout has version ${found}, this Loupe reads ${version}`);
  const descriptorBytes = footer.readUInt32LE(12);
  const stateBytes = footer.readBigUInt64LE(16);
  if (descriptorBytes > longestDescriptor || stateBytes === 0n || BigInt(fileBytes) !== stateBytes + BigInt(descriptorBytes + footerBytes)) return damaged('its sizes do not add up');
  return ok({ descriptorBytes, stateBytes: Number(stateBytes) });
}

/** The descriptor, when key and MAC fit. `text` and `footer` as they are in the file. */
export function decodeDescriptor(text: Buffer, footer: Buffer, sizes: Sizes, key: Uint8Array): Result<Descriptor> {
  if (!timingSafeEqual(macOf(text, footer, key), footer.subarray(signedFooterBytes))) return damaged('it was not written by this user\'s Loupe, or was changed');
  let json: unknown;
  try {
    json = JSON.parse(text.toString('utf8'));
  } catch (thrown) {
    return damaged('its description cannot be read', thrown);
  }
  const parsed = descriptorSchema.safeParse(json);
  if (!parsed.success) return damaged('its description is of another kind', parsed.error.message);
  return parsed.data.state.bytes === sizes.stateBytes ? ok(parsed.data) : damaged('its sizes do not add up');
}

const macOf = (text: Uint8Array, footer: Buffer, key: Uint8Array): Buffer =>
  createHmac('sha256', key).update(text).update(footer.subarray(0, signedFooterBytes)).digest();

export const damaged = (why: string, cause?: unknown): Result<never> =>
  err(makeError('snapshot.damaged', `A saved state cannot be used: ${why}.`, 'Loupe removes it and reads the files again.', cause));

/** Undefined when the state can be loaded; else the first thing that differs, as an error whose code says what to do. */
export function refusal(saved: Identity, now: Identity): Result<never> | undefined {
  const rebuild = 'Loupe reads the files again and saves a new one.';
  if (saved.model.sha256 !== now.model.sha256 || saved.shape !== now.shape) {
    return err(makeError('snapshot.otherModel', `The saved state belongs to the model ${saved.model.name}, not to ${now.model.name}.`, rebuild));
  }
  if (saved.engine !== now.engine || saved.formatVersion !== now.formatVersion) {
    return err(makeError('snapshot.otherEngine', 'The saved state comes from another version of the engine.', rebuild, `${saved.engine} ${saved.formatVersion}, now ${now.engine} ${now.formatVersion}`));
  }
  const { kv: a } = saved;
  const { kv: b } = now;
  if (a.keys !== b.keys || a.values !== b.values || a.windowF16 !== b.windowF16 || a.f16Rows !== b.f16Rows) {
    return err(makeError('snapshot.otherFormat', `The saved state has keys in ${a.keys} and values in ${a.values}; ${b.keys} and ${b.values} are in use.`, rebuild));
  }
  return undefined;
}
