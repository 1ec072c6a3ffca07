import { type CursorText, isCloser, linePrefix, lineSuffix, nextLine, previousLines } from './cursorText.js';
import { isCommentLine, isTrailingComment } from './languages.js';

export type Rejection = 'empty' | 'repeatsStart' | 'closerPresent' | 'repeatsNextLine' | 'repeatsPreviousLine' | 'commentOnly';
export type Verdict = { readonly text: string } | { readonly rejected: Rejection };

/** Marks a model must never show: its own control tokens as text, and Markdown fences of instruction-tuned models. */
const leaked = /<\|[a-z_]{2,32}\|>|^```|\n```/u;

/**
 * The last look at a suggestion: what is already right of the cursor is cut off, and anything that a person would wave away is
 * dropped, because a wrong suggestion costs more attention than none.
 */
export function review(raw: string, cursor: CursorText): Verdict {
  const leak = raw.search(leaked);
  const own = withoutPresentCloser(leak === -1 ? raw : raw.slice(0, leak), linePrefix(cursor), lineSuffix(cursor));
  const text = withoutOverlap(own, lineSuffix(cursor)).trimEnd();
  if (text.trim() === '') return { rejected: 'empty' };
  const lines = text.split('\n');
  const below = nextLine(cursor);
  const firstLine = `${linePrefix(cursor)}${lines[0] ?? ''}`;
  if (isCloser(text) && startsWithCloser(cursor.after, text)) return { rejected: 'closerPresent' };
  const meaningful = firstLine.trim() !== '' ? firstLine : (lines.find((line) => line.trim() !== '') ?? '');
  if (below !== undefined && meaningful.trim() === below.trim()) return { rejected: 'repeatsNextLine' };
  if (isCopyOfAbove([firstLine, ...lines.slice(1)], cursor)) return { rejected: 'repeatsPreviousLine' };
  if (isAllComment(lines, cursor)) return { rejected: 'commentOnly' };
  return { text };
}

/**
 * Without the longest tail that already stands right of the cursor on its line. A bracket or quote that the text itself opened is
 * its own: `g()` before `)` stays whole.
 */
export function withoutOverlap(text: string, right: string): string {
  const present = right.trim();
  if (present === '' || text.includes('\n')) return text;
  for (let size = Math.min(text.length, present.length); size > 0; size--) {
    const head = text.slice(0, text.length - size);
    if (text.endsWith(present.slice(0, size)) && isComplete(head)) return head;
  }
  return text;
}

/**
 * Up to the bracket that closes what the text left of the cursor opened, where the text right of the cursor closes that already: of
 * `a > b) {` between `if (` and `)` only `a > b` is new.
 */
export function withoutPresentCloser(text: string, left: string, right: string): string {
  const closer = /^[)\]}]/u.exec(right.trim())?.[0];
  if (closer === undefined || text.includes('\n')) return text;
  const opener = { ')': '(', ']': '[', '}': '{' }[closer] ?? '';
  const open = (side: string): number => side.split(opener).length - side.split(closer).length;
  let mayClose = Math.max(0, open(left) + open(right)); // brackets of the left side that nothing closes yet
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === opener) depth++;
    else if (text[i] === closer && depth-- === 0 && mayClose-- === 0) return text.slice(0, i);
    depth = Math.max(0, depth);
  }
  return text;
}

/** The lines that stand directly above, again. One bracket may follow another. */
function isCopyOfAbove(lines: readonly string[], cursor: CursorText): boolean {
  const own = lines.filter((line) => line.trim() !== '');
  const above = previousLines(cursor, own.length);
  return above.length === own.length && !own.every(isCloser) && own.every((line, i) => line.trim() === above[i]?.trim());
}

/** Every bracket and quote opened in the text is closed in it. */
function isComplete(text: string): boolean {
  let depth = 0;
  const quotes = new Map<string, number>();
  for (const char of text) {
    if ('([{'.includes(char)) depth++;
    else if (')]}'.includes(char)) depth = Math.max(0, depth - 1);
    else if ('"\'`'.includes(char)) quotes.set(char, (quotes.get(char) ?? 0) + 1);
  }
  return depth === 0 && [...quotes.values()].every((count) => count % 2 === 0);
}

const startsWithCloser = (after: string, closer: string): boolean => after.trimStart().startsWith(closer.trim());

/** A comment where code is being written; a comment that the user began themselves is theirs to go on with. */
function isAllComment(lines: readonly string[], cursor: CursorText): boolean {
  const prefix = linePrefix(cursor);
  const { languageId } = cursor;
  if (isCommentLine(prefix, languageId)) return false;
  const [first = '', ...others] = lines;
  const startsAsComment = prefix.trim() === '' ? first.trim() === '' || isCommentLine(first, languageId) : isTrailingComment(prefix, first, languageId);
  return startsAsComment && others.every((line) => line.trim() === '' || isCommentLine(line, languageId));
}
