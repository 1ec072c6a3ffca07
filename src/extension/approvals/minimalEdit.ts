/** A replacement of `before.slice(start, end)` by `text`. Offsets in UTF-16 code units. */
export interface SpanEdit { readonly start: number; readonly end: number; readonly text: string }

/**
 * The smallest single span whose replacement turns `before` into `after`, so that cursors, folds and breakpoints outside
 * of it stay where they are. Never splits a surrogate pair or a CRLF.
 */
export function minimalEdit(before: string, after: string): SpanEdit {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before.charCodeAt(start) === after.charCodeAt(start)) start += 1;
  while (start > 0 && (joined(before, start) || joined(after, start))) start -= 1;
  let tail = 0;
  while (tail < shorter - start && before.charCodeAt(before.length - 1 - tail) === after.charCodeAt(after.length - 1 - tail)) tail += 1;
  while (tail > 0 && (joined(before, before.length - tail) || joined(after, after.length - tail))) tail -= 1;
  return { start, end: before.length - tail, text: after.slice(start, after.length - tail) };
}

function joined(text: string, at: number): boolean {
  if (at <= 0 || at >= text.length) return false;
  const left = text.charCodeAt(at - 1);
  const right = text.charCodeAt(at);
  return (left === 0x0d && right === 0x0a) || (left >= 0xd800 && left <= 0xdbff && right >= 0xdc00 && right <= 0xdfff);
}
