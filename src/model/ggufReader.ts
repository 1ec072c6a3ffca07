import type { FileHandle } from 'node:fs/promises';

/** The file ended, or what it announces reaches beyond its end. */
export class EndOfFile extends Error {
  override readonly name = 'EndOfFile';
}

/** Thrown for a header that breaks the format's rules. */
export class BadHeader extends Error {
  override readonly name = 'BadHeader';
}

/**
 * Reads little-endian values from the start of a file, in chunks, so that neither memory nor time on the event loop depends
 * on what the file claims. The pattern is `if (r.buffered < n) await r.fill(n)`, then plain reads: hundreds of thousands of
 * small values would otherwise each cost a promise.
 */
export class GgufReader {
  private static readonly chunkBytes = 256 * 1024;
  private buffer = Buffer.alloc(0);
  private start = 0;
  private bufferOffset = 0;

  constructor(private readonly file: FileHandle, readonly fileBytes: number) {}

  /** Offset in the file of the next value. */
  get position(): number {
    return this.bufferOffset + this.start;
  }

  /** Bytes that can be read without waiting. */
  get buffered(): number {
    return this.buffer.length - this.start;
  }

  /** Makes `count` bytes readable. Throws {@link EndOfFile}. Callers bound `count`. */
  async fill(count: number): Promise<void> {
    if (this.buffered >= count) return;
    if (this.position + count > this.fileBytes) throw new EndOfFile();
    const rest = this.buffer.subarray(this.start);
    const position = this.position;
    const size = Math.min(Math.max(count, GgufReader.chunkBytes), this.fileBytes - position);
    const next = Buffer.allocUnsafe(size);
    rest.copy(next);
    let filled = rest.length;
    while (filled < size) {
      const { bytesRead } = await this.file.read(next, filled, size - filled, position + filled);
      if (bytesRead === 0) throw new EndOfFile(); // the file shrank while it was read
      filled += bytesRead;
    }
    this.buffer = next;
    this.bufferOffset = position;
    this.start = 0;
  }

  /** Moves on by `count` bytes without reading them. Throws {@link EndOfFile}. */
  skip(count: number): void {
    if (this.position + count > this.fileBytes) throw new EndOfFile();
    if (count <= this.buffered) {
      this.start += count;
      return;
    }
    this.bufferOffset = this.position + count;
    this.buffer = Buffer.alloc(0);
    this.start = 0;
  }

  bytes(count: number): Buffer {
    this.start += count;
    return this.buffer.subarray(this.start - count, this.start);
  }

  u8(): number { return this.bytes(1).readUInt8(); }
  i8(): number { return this.bytes(1).readInt8(); }
  u16(): number { return this.bytes(2).readUInt16LE(); }
  i16(): number { return this.bytes(2).readInt16LE(); }
  u32(): number { this.start += 4; return this.buffer.readUInt32LE(this.start - 4); }
  i32(): number { return this.bytes(4).readInt32LE(); }
  f32(): number { return this.bytes(4).readFloatLE(); }
  f64(): number { return this.bytes(8).readDoubleLE(); }
  i64(): number { return Number(this.bytes(8).readBigInt64LE()); }

  /** Exact below 2^53; above it only "very large" matters, and every caller has a limit far below. */
  u64(): number {
    const low = this.u32();
    return this.u32() * 4_294_967_296 + low;
  }
}

/** A string with its length in front. */
export async function readString(r: GgufReader, limit: number): Promise<string> {
  if (r.buffered < 8) await r.fill(8);
  const size = r.u64();
  if (size > limit) throw new BadHeader(`it has a string of ${size} bytes`);
  if (r.buffered < size) await r.fill(size);
  return r.bytes(size).toString('utf8');
}

/** A name from the file, made harmless for a message. */
export function quote(text: string): string {
  const clean = text.slice(0, 60).replace(/[^ -~]/g, '?');
  return `"${clean}${text.length > 60 ? '…' : ''}"`;
}
