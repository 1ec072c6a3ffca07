/** Text around the cursor that decides whether an earlier completion still applies. */
const beforeChars = 1024;
const afterChars = 256;
/** Closers that an editor adds by itself when an opener is typed. */
const autoClosed = /^[)\]}>"'`]{1,4}/u;

interface Entry {
  readonly uri: string;
  readonly before: string;
  readonly after: string;
  readonly text: string;
}

/**
 * Completions by the text around the cursor, least recently used evicted. A lookup takes the entry that shares the longest
 * prefix: with every character that the user types of a suggestion, or takes back, the rest of it is found without asking the
 * model. An empty completion is kept as well, for its exact place: asking again would give nothing again.
 */
export class CompletionCache {
  private readonly entries = new Map<string, Entry>();

  constructor(private readonly capacity = 250) {}

  get size(): number {
    return this.entries.size;
  }

  set(uri: string, before: string, after: string, text: string): void {
    const entry: Entry = { uri, before: before.slice(-beforeChars), after: after.slice(0, afterChars), text };
    const key = keyOf(entry);
    this.entries.delete(key);
    this.entries.set(key, entry);
    for (const oldest of this.entries.keys()) {
      if (this.entries.size <= this.capacity) break;
      this.entries.delete(oldest);
    }
  }

  /** What of a cached completion is still ahead of the cursor; undefined when none fits, '' when nothing is to be suggested here. */
  get(uri: string, before: string, after: string): string | undefined {
    let best: { readonly key: string; readonly entry: Entry; readonly typed: number } | undefined;
    for (const [key, entry] of this.entries) {
      if (entry.uri !== uri) continue;
      const typed = typedSince(entry, before);
      if (typed === undefined || !sameAfter(entry, after.slice(0, afterChars), typed)) continue;
      if (best === undefined || typed < best.typed) best = { key, entry, typed };
    }
    if (best === undefined) return undefined;
    this.entries.delete(best.key);
    this.entries.set(best.key, best.entry);
    return best.entry.text.slice(best.typed);
  }

  clear(): void {
    this.entries.clear();
  }
}

const keyOf = (entry: Entry): string => `${entry.uri}\0${entry.before}\0${entry.after}`;

/**
 * How many characters of the completion have been typed since: the smallest n for which the text before the cursor ends with the entry's
 * and then n characters of its completion. Undefined when it does not, or when all of it is typed.
 */
function typedSince(entry: Entry, before: string): number | undefined {
  const longest = entry.text === '' ? 0 : entry.text.length - 1;
  for (let n = 0; n <= longest; n++) {
    const start = before.length - n;
    if (start < 0) return undefined;
    if (!before.endsWith(entry.text.slice(0, n))) continue;
    const rest = before.slice(Math.max(0, start - beforeChars), start);
    if (rest === entry.before) return n;
  }
  return undefined;
}

function sameAfter(entry: Entry, after: string, typed: number): boolean {
  if (after === entry.after) return true;
  if (typed === 0) return false;
  const added = autoClosed.exec(after)?.[0] ?? '';
  for (let n = 1; n <= added.length; n++) {
    const rest = after.slice(n);
    if (rest === entry.after.slice(0, rest.length) && rest.length >= Math.min(entry.after.length, afterChars - n)) return true;
  }
  return false;
}
