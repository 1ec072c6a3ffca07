import { type CursorText, indentOf, linePrefix, lineSuffix, nextLine, previousLine } from './cursorText.js';
import { isCommentLine, opensBlock } from './languages.js';

/** How much may be suggested: the rest of the line, or a block of lines that are indented at least `floor` columns. */
export type Shape = { readonly kind: 'line' } | { readonly kind: 'block'; readonly floor: number };

const line: Shape = { kind: 'line' };

/**
 * A block only where one begins or continues: after an opener at the end of a line whose body is not there yet, or on an
 * empty line. Everywhere else a second line is more often wrong than right, and costs the decoding of it.
 */
export function decideShape(cursor: CursorText): Shape {
  if (lineSuffix(cursor).trim() !== '') return line;
  const prefix = linePrefix(cursor);
  if (isCommentLine(prefix, cursor.languageId)) return line;
  const below = nextLine(cursor);
  if (prefix.trim() === '') {
    const above = previousLine(cursor);
    const indent = indentOf(prefix);
    if (above === undefined || !opensBlock(above, cursor.languageId)) return { kind: 'block', floor: indent };
    return hasBody(below, indentOf(above)) ? line : { kind: 'block', floor: Math.max(indent, indentOf(above) + 1) };
  }
  if (!opensBlock(prefix, cursor.languageId)) return line;
  const indent = indentOf(prefix);
  return hasBody(below, indent) ? line : { kind: 'block', floor: indent + 1 };
}

const hasBody = (below: string | undefined, openerIndent: number): boolean => below !== undefined && indentOf(below) > openerIndent;
