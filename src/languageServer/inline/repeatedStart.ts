import { type CursorText, isWordChar, linePrefix } from './cursorText.js';
import type { Verdict } from './filters.js';
import { isCommentLine, languageFamily } from './languages.js';

/** Words that no language lets stand twice in a row, alone or with what follows them. */
const neverTwice = new Set([
  'return', 'const', 'let', 'var', 'val', 'if', 'elif', 'else', 'for', 'while', 'switch', 'case', 'function', 'func', 'fn', 'def', 'class', 'interface',
  'enum', 'struct', 'impl', 'import', 'export', 'from', 'throw', 'raise', 'public', 'private', 'protected', 'static', 'readonly', 'pub', 'with', 'try',
  'catch', 'except', 'package', 'use', 'using', 'namespace', 'extends', 'implements', 'instanceof', 'SELECT', 'FROM', 'WHERE', 'INSERT', 'UPDATE',
]);
/** Words that may: `new Pair(new Pair(`, `not not x`, `long long`. */
const oftenTwice = new Set(['new', 'not', 'await', 'typeof', 'void', 'delete', 'type', 'get', 'set', 'async', 'yield', 'long', 'mut', 'end']);
/** Families of languages without `Color Color`, `client client.Client` or commands with bare words after them. */
const namesApart = new Set(['typescript', 'python', 'rust', 'php', 'lua']);
/** A shorter begun word may well go on with the same letters. */
const leastBegunWord = 3;

/**
 * A suggestion that starts with what stands directly before the cursor, as small models write when they begin the statement anew: `return `,
 * then `return a - b`. The copy is cut off; where nothing useful is left the suggestion is dropped. What repeats in real code stays:
 * `a.` and `a.b`, `f(` and `f(x)`, `1, ` and `1, 0`, brackets and operators. To be asked once, when the model has answered: of a
 * suggestion that is being typed through, a rest may start with anything.
 */
export function withoutRepeatedStart(text: string, cursor: CursorText): Verdict {
  const left = linePrefix(cursor).trimEnd();
  const body = text.replace(/^[ \t]+/u, '');
  const gap = left.length < linePrefix(cursor).length ? 'before' : body.length < text.length ? 'after' : 'none';
  const copied = repetition(left, body, gap === 'none', cursor.languageId);
  if (copied === 0) return { text };
  const rest = body.slice(copied);
  const kept = gap === 'before' ? rest.replace(/^[ \t]+/u, '') : rest;
  const again = repetition(left, kept.trimStart(), false, cursor.languageId) > 0;
  return again || /^[\s;,)\]}]*$/u.test(kept) ? { rejected: 'repeatsStart' } : { text: kept };
}

/** Length of the longest copy at the start of `body` of what `left` ends with, from a word on; 0 when there is none, or a legitimate one. */
function repetition(left: string, body: string, touching: boolean, languageId: string): number {
  for (const { index } of left.matchAll(/(?<![\p{L}\p{N}_$])[\p{L}_$][\p{L}\p{N}_$]*/gu)) {
    const copy = left.slice(index);
    if (!body.startsWith(copy)) continue;
    const begun = touching && isWordChar(copy.at(-1));
    if (!begun && isWordChar(copy.at(-1)) && isWordChar(body[copy.length])) continue;
    if (isMistake(copy, begun, left, languageId)) return copy.length;
  }
  return 0;
}

function isMistake(copy: string, begun: boolean, left: string, languageId: string): boolean {
  const keywords = copy.match(/(?<![.\p{L}\p{N}_$])[\p{L}_$][\p{L}\p{N}_$]*/gu) ?? [];
  if (keywords.some((word) => neverTwice.has(word)) || /^(?:this|self)(?:\.|->)$/u.test(copy)) return true;
  if (assignmentOrLabel.test(copy)) return true;
  if ([...copy.matchAll(sideBySide)].some(([, first]) => !oftenTwice.has(first ?? ''))) return true;
  const isWord = /^[\p{L}\p{N}_$]+$/u.test(copy);
  if (begun) return copy.length >= leastBegunWord && !left.endsWith(`#${copy}`); // a colour may well be #abcabc
  return isWord && (isCommentLine(left, languageId) || (namesApart.has(languageFamily(languageId)) && !oftenTwice.has(copy)));
}

const assignmentOrLabel = /[\w\])]\s*(?:[-+*/%&|^:]?=|:)$/u;
const sideBySide = /([\p{L}\p{N}_$]+)\s+(?=[\p{L}_$])/gu;
