/** Exact replacement of text in a file, independent of its line ends. Pure. */
export type Replacement =
  | { readonly kind: 'replaced'; readonly text: string; readonly line: number }
  | { readonly kind: 'noMatch'; readonly hint: string }
  | { readonly kind: 'ambiguous'; readonly lines: readonly number[] };

/**
 * Replaces the only occurrence of `old` in `text`. Lines may end differently in both; the replacement takes the line ends of
 * what it replaces, else those of the file. `hint` shows the nearest lines, so that a model can correct itself.
 */
export function replaceOnce(text: string, old: string, replacement: string): Replacement {
  const pattern = new RegExp(old.split(/\r?\n/).map(escape).join('\\r?\\n'), 'g');
  const matches = [...text.matchAll(pattern)];
  const [match] = matches;
  if (!match) return { kind: 'noMatch', hint: nearest(text, old) };
  if (matches.length > 1) return { kind: 'ambiguous', lines: matches.map(({ index }) => lineAt(text, index)) };
  const eol = match[0].includes('\r\n') ? '\r\n' : match[0].includes('\n') ? '\n' : dominantEol(text);
  const inserted = withEol(replacement, eol);
  return {
    kind: 'replaced', line: lineAt(text, match.index),
    text: text.slice(0, match.index) + inserted + text.slice(match.index + match[0].length),
  };
}

export function withEol(text: string, eol: '\n' | '\r\n'): string {
  return text.replace(/\r?\n/g, eol);
}

export function dominantEol(text: string): '\n' | '\r\n' {
  const crlf = text.split('\r\n').length - 1;
  return crlf > text.split('\n').length - 1 - crlf ? '\r\n' : '\n';
}

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const lineAt = (text: string, index: number): number => text.slice(0, index).split('\n').length;

const mostShown = 12;

/** The lines of the file that are most like `old`, numbered. */
function nearest(text: string, old: string): string {
  const lines = text.split(/\r?\n/);
  const wanted = old.split(/\r?\n/);
  while (wanted.length > 1 && wanted[0]?.trim() === '') wanted.shift();
  const height = Math.min(wanted.length, mostShown);
  let best = { score: 0, at: 0 };
  const grams = wanted.slice(0, height).map(bigrams);
  for (let at = 0; at < lines.length && at < 20_000; at++) {
    let score = 0;
    for (let i = 0; i < height; i++) score += similarity(grams[i] ?? new Set(), bigrams(lines[at + i] ?? ''));
    if (score > best.score) best = { score, at };
  }
  if (best.score < 0.3 * height) return 'Nothing in the file is like it.';
  const shown = lines.slice(best.at, best.at + height);
  const same = shown.length === height && shown.every((line, i) => line.trim() === (wanted[i] ?? '').trim());
  const where = `lines ${best.at + 1}-${best.at + shown.length}`;
  return `${same ? `Only the blanks differ from ${where}` : `The nearest are ${where}`}:\n${shown.join('\n')}`;
}

function bigrams(line: string): Set<string> {
  const text = line.trim().slice(0, 200);
  return new Set(Array.from({ length: Math.max(0, text.length - 1) }, (_, i) => text.slice(i, i + 2)));
}

/** Dice coefficient of two sets of letter pairs, 0 to 1. Blank lines are alike. */
function similarity(a: Set<string>, b: Set<string>): number {
  if (a.size + b.size === 0) return 0.1;
  let common = 0;
  for (const pair of a) if (b.has(pair)) common++;
  return (2 * common) / (a.size + b.size);
}
