import { type CursorText, indentOf, isCloser, linePrefix, nextLine } from './cursorText.js';
import type { Shape } from './shape.js';

export type StopReason = 'lineEnd' | 'suffixReached' | 'repeated' | 'outOfBlock' | 'blockClosed' | 'maxLines' | 'blankLines';

export interface Limited {
  readonly text: string;
  /** Set when nothing that follows could belong to the suggestion, so that generation can be stopped. */
  readonly stop?: StopReason;
}

export const maxBlockLines = 16;

/**
 * Cuts generated text where the suggestion ends. Called again with all the text so far as it streams in; `ended` says that
 * nothing follows. Only whole lines are judged, so that the outcome does not depend on how the text was split.
 * The rules are those that Continue and llama.vscode arrived at: suffix start, repeated lines, brackets, indentation.
 */
export function limit(text: string, ended: boolean, shape: Shape, cursor: CursorText): Limited {
  if (shape.kind === 'line') {
    const end = text.indexOf('\n');
    return end === -1 ? { text } : { text: text.slice(0, end), stop: 'lineEnd' };
  }
  const lines = text.split('\n');
  const whole = ended ? lines.length : lines.length - 1;
  const below = nextLine(cursor);
  for (let i = 0; i < whole; i++) {
    const verdict = judge(lines, i, shape.floor, below, cursor);
    if (verdict) return { text: lines.slice(0, verdict.keep).join('\n'), stop: verdict.stop };
  }
  return { text };
}

function judge(lines: readonly string[], i: number, floor: number, below: string | undefined, cursor: CursorText): { keep: number; stop: StopReason } | undefined {
  const current = lines[i] ?? '';
  if (i >= maxBlockLines) return { keep: i, stop: 'maxLines' };
  if (current.trim() === '') return i >= 2 && lines[i - 1]?.trim() === '' ? { keep: i - 1, stop: 'blankLines' } : undefined;
  if (i > 0) {
    if (below !== undefined && isSameLine(current, below)) return { keep: i, stop: 'suffixReached' };
    if (indentOf(current) < floor) return leavesBlock(current, i, below);
    if (floor === 0 && indentOf(current) === 0 && lines[i - 1]?.trim() === '' && hasContent(lines, i)) return { keep: i, stop: 'outOfBlock' };
  }
  const first = repetitionStart(lines, i, linePrefix(cursor));
  return first === undefined ? undefined : { keep: first, stop: 'repeated' };
}

/** A bracket that closes the block belongs to the suggestion, unless the file already has it. */
function leavesBlock(current: string, i: number, below: string | undefined): { keep: number; stop: StopReason } {
  const alreadyClosed = below !== undefined && isCloser(below) && indentOf(below) >= indentOf(current);
  return isCloser(current) && !alreadyClosed ? { keep: i + 1, stop: 'blockClosed' } : { keep: i, stop: 'outOfBlock' };
}

const isSameLine = (a: string, b: string): boolean => a.trim() === b.trim() && (!isCloser(a) || indentOf(a) === indentOf(b));

const hasContent = (lines: readonly string[], end: number): boolean => lines.slice(0, end).some((line) => line.trim() !== '');

/**
 * Index of the first repeated line when line `i` completes a second copy of the one to three lines before it. A single line must
 * come three times, since two equal lines in a row are legitimate; closers repeat in any code.
 */
function repetitionStart(lines: readonly string[], i: number, prefix: string): number | undefined {
  const at = (k: number): string => (k === 0 ? `${prefix}${lines[0] ?? ''}` : (lines[k] ?? '')).trim();
  const single = at(i);
  if (i >= 2 && !isCloser(single) && single === at(i - 1) && single === at(i - 2)) return i - 1;
  for (const size of [2, 3]) {
    if (i + 1 < 2 * size) continue;
    const indices = Array.from({ length: size }, (_, k) => i - k);
    const same = indices.every((k) => at(k) === at(k - size));
    if (same && indices.some((k) => at(k) !== '' && !isCloser(at(k)))) return i - size + 1;
  }
  return undefined;
}
