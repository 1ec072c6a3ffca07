import type { NamedCall } from './callSyntax.js';

const quote = '<|"|>';
const deepest = 64;

/** Reads Gemma 4's notation strictly: what is not exactly a call is no call. */
export class Gemma4Reader {
  position = 0;

  constructor(private readonly text: string) {}

  /** `call:NAME{...}` and `close`, with nothing after it. */
  call(close: string): NamedCall | undefined {
    if (!this.take('call:')) return undefined;
    const name = this.until('{');
    if (name === undefined) return undefined;
    const args = this.value(0);
    if (args === undefined || !this.take(close) || this.position !== this.text.length) return undefined;
    return { name, arguments: args.value as Record<string, unknown> };
  }

  /** Boxed, so that a value that is null or false is told from none. */
  private value(depth: number): { readonly value: unknown } | undefined {
    if (depth > deepest) return undefined;
    if (this.take(quote)) {
      const text = this.until(quote);
      return text !== undefined && this.take(quote) ? { value: text } : undefined;
    }
    if (this.take('{')) return this.object(depth);
    if (this.take('[')) return this.list(depth);
    const word = /[^,\]}<]*/y;
    word.lastIndex = this.position;
    const written = word.exec(this.text)?.[0] ?? '';
    const known = ({ true: true, false: false, null: null, None: null } as Readonly<Record<string, unknown>>)[written];
    const value = known === undefined && /^-?\d+(\.\d+)?([eE][-+]?\d+)?$/.test(written) ? Number(written) : known;
    if (value === undefined) return undefined;
    this.position += written.length;
    return { value };
  }

  private object(depth: number): { readonly value: unknown } | undefined {
    const entries: [string, unknown][] = [];
    if (this.take('}')) return { value: {} };
    do {
      const key = this.until(':');
      if (key === undefined || !this.take(':')) return undefined;
      const field = this.value(depth + 1);
      if (field === undefined) return undefined;
      entries.push([key, field.value]);
    } while (this.take(','));
    return this.take('}') ? { value: Object.fromEntries(entries) } : undefined;
  }

  private list(depth: number): { readonly value: unknown } | undefined {
    const items: unknown[] = [];
    if (this.take(']')) return { value: items };
    do {
      const item = this.value(depth + 1);
      if (item === undefined) return undefined;
      items.push(item.value);
    } while (this.take(','));
    return this.take(']') ? { value: items } : undefined;
  }

  private take(text: string): boolean {
    if (!this.text.startsWith(text, this.position)) return false;
    this.position += text.length;
    return true;
  }

  /** Text up to, without, the mark. */
  private until(mark: string): string | undefined {
    const end = this.text.indexOf(mark, this.position);
    if (end < 0) return undefined;
    const text = this.text.slice(this.position, end);
    this.position = end;
    return text;
  }
}
