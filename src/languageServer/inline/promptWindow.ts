/** Tokens of a text by the model's own tokenizer. */
export type CountTokens = (text: string) => Promise<number>;

export interface PrefixWindow {
  /** The end of the text before the cursor, from the start of a line. */
  readonly text: string;
  /** Tokens of `counted`, exactly. */
  readonly tokens: number;
  /** The window's text when it was last counted. */
  readonly counted: string;
}

/** A new window takes this part of the budget: the rest is room to type in before its start must move again. */
const fill = 0.6;
/** Below this part of the budget a window that starts in mid-file is not kept: there is text above it that would help. */
const tooLittle = 0.2;
/** Where the window begins is recognised by this much of its text. */
const anchorChars = 200;
const guessCharsPerToken = 3.2;
/** Text longer than this per token of the budget cannot fit, so it is not worth counting. */
const mostCharsPerToken = 8;
/** Typed text counted cautiously, until the tokenizer says. */
const cautiousCharsPerToken = 1.5;

/**
 * The part of the text before the cursor that goes into the prompt. Its start stays where it was as long as the window fits the
 * budget, and then moves in one large step: between keystrokes the prompt grows at its end only, so the KV entries of all
 * that came before are used again.
 */
export async function prefixWindow(before: string, previous: PrefixWindow | undefined, budget: number, count: CountTokens): Promise<PrefixWindow> {
  const kept = previous === undefined ? undefined : keepStart(before, previous);
  if (kept !== undefined && previous !== undefined && kept.length <= budget * mostCharsPerToken) {
    const estimate = previous.tokens + Math.max(0, kept.length - commonPrefix(kept, previous.counted)) / cautiousCharsPerToken;
    const window = estimate <= budget ? { ...previous, text: kept } : await counted(kept, count);
    const startsMidFile = kept.length < before.length;
    if (window.tokens <= budget && !(startsMidFile && kept.length < tooLittle * budget * guessCharsPerToken)) return window;
  }
  return await freshWindow(before, budget, count);
}

async function freshWindow(before: string, budget: number, count: CountTokens): Promise<PrefixWindow> {
  if (before.length <= budget * guessCharsPerToken * 2) {
    const whole = await counted(before, count);
    if (whole.tokens <= budget) return whole;
  }
  let chars = Math.floor(budget * fill * guessCharsPerToken);
  for (;;) {
    const window = await counted(tailFromLineStart(before, chars), count);
    if (window.tokens <= budget || window.text === '') return window;
    chars = Math.floor(Math.min(chars / 2, (chars * budget * fill) / window.tokens));
  }
}

const counted = async (text: string, count: CountTokens): Promise<PrefixWindow> => ({ text, counted: text, tokens: text === '' ? 0 : await count(text) });

/** The text from where the previous window began, found by its first characters; undefined when that text is gone. */
function keepStart(before: string, previous: PrefixWindow): string | undefined {
  const anchor = previous.counted.slice(0, anchorChars);
  if (anchor === '') return undefined;
  const nearEnd = before.length - previous.text.length;
  const found = nearestLineStart(before, anchor, nearEnd);
  return found === undefined ? undefined : before.slice(found);
}

function nearestLineStart(text: string, anchor: string, near: number): number | undefined {
  let best: number | undefined;
  for (let at = text.indexOf(anchor); at !== -1; at = text.indexOf(anchor, at + 1)) {
    if (at > 0 && text[at - 1] !== '\n') continue;
    if (best === undefined || Math.abs(at - near) < Math.abs(best - near)) best = at;
  }
  return best;
}

function commonPrefix(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  let n = 0;
  while (n < end && a.charCodeAt(n) === b.charCodeAt(n)) n++;
  return n;
}

/** At most `chars` from the end, from the start of a line on; within the last line where that alone is longer. */
export function tailFromLineStart(text: string, chars: number): string {
  if (text.length <= chars) return text;
  const tail = text.slice(text.length - chars);
  const lineStart = text[text.length - chars - 1] === '\n' ? 0 : tail.indexOf('\n') + 1;
  return lineStart === 0 && text[text.length - chars - 1] !== '\n' ? tail : tail.slice(lineStart);
}

/** At most `chars` from the start, up to the end of a line; within the first line where that alone is longer. */
export function headToLineEnd(text: string, chars: number): string {
  if (text.length <= chars) return text;
  const head = text.slice(0, chars);
  const end = head.lastIndexOf('\n');
  return end === -1 ? head : head.slice(0, end + 1);
}
