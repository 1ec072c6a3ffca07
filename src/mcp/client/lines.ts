const newline = 0x0a;

/** Splits a stream into lines and holds no more than `limit` bytes of one. */
export class Lines {
  private readonly parts: Buffer[] = [];
  private size = 0;

  constructor(private readonly limit: number, private readonly onLine: (line: string) => void) {}

  /** False: a line is longer than the limit. Nothing may be added after that. */
  add(chunk: Buffer): boolean {
    let rest = chunk;
    for (let end = rest.indexOf(newline); end !== -1; end = rest.indexOf(newline)) {
      if (!this.keep(rest.subarray(0, end))) return false;
      const line = Buffer.concat(this.parts.splice(0)).toString('utf8');
      this.size = 0;
      this.onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
      rest = rest.subarray(end + 1);
    }
    return this.keep(rest);
  }

  private keep(part: Buffer): boolean {
    this.size += part.length;
    if (this.size > this.limit) {
      this.parts.length = 0;
      return false;
    }
    if (part.length > 0) this.parts.push(part);
    return true;
  }
}
