import { type CursorText, isWordChar, linePrefix, lineSuffix } from './cursorText.js';
import { isCommentLine } from './languages.js';

/** More text than this right of the cursor means an edit in mid-line, where a suggestion disturbs (as llama.vscode does). */
export const maxCharsRight = 8;
const closersOnly = /^[)\]}>"'`;,:\s]*$/u;

export type Skip = 'midWord' | 'textRight' | 'emptyFile' | 'commentsOnly';

/**
 * Whether there is anything to suggest at the cursor; undefined means yes. An explicit invocation is refused only where a
 * word would be torn apart.
 */
export function whySkip(cursor: CursorText, invoked: boolean): Skip | undefined {
  const right = lineSuffix(cursor);
  if (isWordChar(right[0])) return 'midWord';
  if (invoked) return undefined;
  if (right.trim().length > maxCharsRight && !closersOnly.test(right)) return 'textRight';
  const lines = `${cursor.before}${cursor.after}`.split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0) return 'emptyFile';
  const inComment = isCommentLine(linePrefix(cursor), cursor.languageId);
  if (inComment && lines.every((line) => isCommentLine(line, cursor.languageId))) return 'commentsOnly';
  return undefined;
}
