import type { FileHandle } from 'node:fs/promises';

const chunkBytes = 1 << 20;

/** The file says something impossible. `kind` tells a cut-off file from one that is no GGUF file at all. */
export class GgufProblem extends Error {
  constructor(readonly kind: 'notGguf' | 'truncated', message: string) {
    super(message);
  }
}

/** Forward reader over a file of known size. Every length is checked against the file before anything is allocated. */
export class GgufReader {
  private buffer = Buffer.alloc(0);
  /** Position of `buffer[0]` in the file. */
  private bufferStart = 0;
  private cursor = 0;

  constructor(private readonly file: FileHandle, readonly size: number) {}

  get position(): number {
    return this.bufferStart + this.cursor;
  }

  private async need(bytes: number): Promise<void> {
    if (this.cursor + bytes <= this.buffer.length) return;
    if (this.position + bytes > this.size) throw new GgufProblem('truncated', `the header ends at byte ${this.size}`);
    const rest = this.buffer.subarray(this.cursor);
    const wanted = Math.min(Math.max(bytes, chunkBytes), this.size - this.position);
    const next = Buffer.alloc(wanted);
    rest.copy(next);
    let filled = rest.length;
    while (filled < wanted) {
      const { bytesRead } = await this.file.read(next, filled, wanted - filled, this.position + filled);
      if (bytesRead === 0) throw new GgufProblem('truncated', `the file became shorter than ${this.size} bytes`);
      filled += bytesRead;
    }
    this.bufferStart = this.position;
    this.cursor = 0;
    this.buffer = next;
  }

  private async take<T>(bytes: number, read: (buffer: Buffer, at: number) => T): Promise<T> {
    await this.need(bytes);
    const value = read(this.buffer, this.cursor);
    this.cursor += bytes;
    return value;
  }

  u8 = (): Promise<number> => this.take(1, (b, at) => b.readUInt8(at));
  i8 = (): Promise<number> => this.take(1, (b, at) => b.readInt8(at));
  u16 = (): Promise<number> => this.take(2, (b, at) => b.readUInt16LE(at));
  i16 = (): Promise<number> => this.take(2, (b, at) => b.readInt16LE(at));
  u32 = (): Promise<number> => this.take(4, (b, at) => b.readUInt32LE(at));
  i32 = (): Promise<number> => this.take(4, (b, at) => b.readInt32LE(at));
  f32 = (): Promise<number> => this.take(4, (b, at) => b.readFloatLE(at));
  f64 = (): Promise<number> => this.take(8, (b, at) => b.readDoubleLE(at));
  i64 = async (): Promise<number> => Number(await this.take(8, (b, at) => b.readBigInt64LE(at)));

  /** A 64-bit count or offset. What does not fit a safe integer is no real file. */
  u64 = async (): Promise<number> => {
    const value = await this.take(8, (b, at) => b.readBigUInt64LE(at));
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new GgufProblem('notGguf', `a count of ${value} is impossible`);
    return Number(value);
  };

  string = async (): Promise<string> => {
    const length = await this.u64();
    if (length > this.size - this.position) throw new GgufProblem('truncated', `a text of ${length} bytes runs past the end`);
    return this.take(length, (b, at) => b.toString('utf8', at, at + length));
  };

  async skip(bytes: number): Promise<void> {
    if (bytes > this.size - this.position) throw new GgufProblem('truncated', `${bytes} bytes run past the end`);
    const inBuffer = Math.min(bytes, this.buffer.length - this.cursor);
    this.cursor += inBuffer;
    if (inBuffer < bytes) {
      this.bufferStart = this.position + (bytes - inBuffer);
      this.cursor = 0;
      this.buffer = Buffer.alloc(0);
    }
  }
}
