import { languageFamily } from './languages.js';

export interface Chunk {
  readonly uri: string;
  readonly path: string;
  readonly languageId: string;
  readonly text: string;
}

const chunkLines = 48;
const maxChunks = 16;
/** A full ring drops this many of its oldest at once, so that the cached prompt breaks seldom. */
const dropAtOnce = 6;
/** Chunks more alike than this (Jaccard index of their lines) are one chunk: the newer one. */
const alike = 0.9;
/** Leaving an edited place by this many lines makes it a chunk. */
const farLines = 32;
const leastChars = 40;

/** Where the user works: `line` is 0-based in the file, the texts are what stands before and after the cursor. */
export interface Place {
  readonly uri: string;
  readonly path: string;
  readonly languageId: string;
  readonly line: number;
  readonly before: string;
  readonly after: string;
}

/**
 * Places where the user worked lately, as context for suggestions in other files. A chunk is taken when the user leaves the place,
 * not while they type there, and is appended at the end: the prompt's beginning stays byte-equal between keystrokes. Ring of 16,
 * distance of 32 lines and the 0.9 limit are llama.vscode's.
 */
export class RecentChunks {
  private chunks: readonly Chunk[] = [];
  private place: Place | undefined;

  visit(place: Place): void {
    const left = this.place;
    if (left !== undefined && (left.uri !== place.uri || Math.abs(left.line - place.line) > farLines)) this.take(left);
    this.place = place;
  }

  /**
   * Chunks of other files of the language's family, oldest first, that fit `chars` characters together; the newest are kept. Where not even
   * one fits, as on slow machines, it is the middle of the newest.
   */
  forFile(uri: string, languageId: string, chars: number): readonly Chunk[] {
    const family = languageFamily(languageId);
    const others = this.chunks.filter((chunk) => chunk.uri !== uri && languageFamily(chunk.languageId) === family);
    let room = chars;
    let first = others.length;
    while (first > 0 && (others[first - 1]?.text.length ?? 0) <= room) {
      first--;
      room -= others[first]?.text.length ?? 0;
    }
    const newest = others.at(-1);
    if (newest === undefined || first < others.length) return others.slice(first);
    const text = middle(newest.text, chars);
    return text.length < leastChars ? [] : [{ ...newest, text }];
  }

  forget(uri: string): void {
    this.chunks = this.chunks.filter((chunk) => chunk.uri !== uri);
    if (this.place?.uri === uri) this.place = undefined;
  }

  private take({ uri, path, languageId, before, after }: Place): void {
    const above = before.split('\n').slice(-chunkLines / 2).join('\n');
    const below = after.split('\n', chunkLines / 2).join('\n');
    const text = `${(above + below).trim()}\n`;
    if (text.length < leastChars) return;
    const others = this.chunks.filter((chunk) => chunk.uri !== uri || similarity(chunk.text, text) < alike);
    const kept = others.length >= maxChunks ? others.slice(dropAtOnce) : others;
    this.chunks = [...kept, { uri, path, languageId, text }];
  }
}

/** Whole lines from the middle of a text, at most `chars` characters. */
function middle(text: string, chars: number): string {
  const lines = text.split(/(?<=\n)/u);
  let size = text.length;
  for (let fromStart = false; size > chars; fromStart = !fromStart) size -= (fromStart ? lines.shift() : lines.pop())?.length ?? size;
  return lines.join('');
}

/** Jaccard index of the sets of lines: 0 nothing in common, 1 the same lines. */
export function similarity(a: string, b: string): number {
  const left = new Set(a.split('\n').map((line) => line.trim()));
  const right = new Set(b.split('\n').map((line) => line.trim()));
  const common = [...left].filter((line) => right.has(line)).length;
  return common / (left.size + right.size - common);
}
