import { parseMarkdown, type ParseEnv, type Token } from './parser.js';

/** One top-level block of an answer with its parsed tokens. */
export interface Block {
  readonly source: string;
  readonly tokens: readonly Token[];
  /** A fence that has no end yet: its code still grows. */
  readonly open: boolean;
}

/**
 * Markdown that grows at its end. Blocks before the last one cannot change any more and keep their identity, so a new token
 * costs one parse of the last block. A finished text is parsed once as a whole, because link definitions may come last.
 */
export class GrowingMarkdown {
  private text = '';
  private stable: Block[] = [];
  private tailStart = 0;
  private env: ParseEnv = {};
  private blocks: readonly Block[] = [];
  private finished = false;

  update(raw: string, finished: boolean): readonly Block[] {
    const text = raw.replace(/\r\n?/g, '\n'); // as the parser does, so that its line numbers are ours
    if (text === this.text && this.finished === finished) return this.blocks;
    if (finished) this.blocks = this.parseWhole(text);
    else this.blocks = this.parseTail(text);
    this.text = text;
    this.finished = finished;
    return this.blocks;
  }

  private parseWhole(text: string): readonly Block[] {
    const known = new Map(this.blocks.filter(({ open }) => !open).map((block) => [block.source, block]));
    const hasDefinitions = /^ {0,3}\[[^\]]+\]:/m.test(text);
    this.reset();
    return splitBlocks(text, {}).map((block) => (hasDefinitions ? block : known.get(block.source) ?? block));
  }

  private parseTail(text: string): readonly Block[] {
    if (this.finished || !text.startsWith(this.text)) this.reset();
    const tail = splitBlocks(text.slice(this.tailStart), this.env);
    const last = tail.pop();
    for (const block of tail) {
      this.stable.push(block);
      this.tailStart += block.source.length;
    }
    return last ? [...this.stable, last] : [...this.stable];
  }

  private reset(): void {
    this.stable = [];
    this.tailStart = 0;
    this.env = {};
  }
}

/** Top-level blocks in order; their sources, joined, are the text. */
export function splitBlocks(text: string, env: ParseEnv): Block[] {
  const lines = lineStarts(text);
  const groups: { start: number; tokens: Token[] }[] = [];
  for (const token of parseMarkdown(text, env)) {
    const group = groups.at(-1);
    if (group && (token.level > 0 || token.nesting === -1 || !token.map)) group.tokens.push(token);
    else groups.push({ start: group ? lines[token.map?.[0] ?? 0] ?? text.length : 0, tokens: [token] });
  }
  return groups.map(({ start, tokens }, index) => {
    const source = text.slice(start, groups[index + 1]?.start ?? text.length);
    const first = tokens[0];
    return { source, tokens, open: first?.type === 'fence' && !hasEnd(source, first.markup) };
  });
}

function hasEnd(source: string, markup: string): boolean {
  const lines = source.trimEnd().split('\n');
  const last = lines.at(-1)?.trim() ?? '';
  return lines.length > 1 && last.startsWith(markup) && last.replaceAll(markup.charAt(0), '') === '';
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) starts.push(i + 1);
  return starts;
}
