/** Lines of a document, 0-based, `end` exclusive. */
export interface LineRange { readonly start: number; readonly end: number }

/**
 * Where a code block from an answer belongs in a file: over the selection when there is one; else over the range that starts
 * and ends with the block's own first and last lines, when each occurs once; else at the cursor line. The user sees the
 * result as a diff before anything is written.
 */
export function placeCode(text: string, code: string, selection: LineRange): string {
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const lines = text.split(/\r?\n/);
  const block = code.replace(/\r?\n$/, '').split(/\r?\n/);
  const range = selection.end > selection.start ? selection : (matchingRange(lines, block) ?? { start: selection.start, end: selection.start });
  const indented = reindent(block, indentOf(lines[range.start] ?? ''));
  return [...lines.slice(0, range.start), ...indented, ...lines.slice(range.end)].join(eol);
}

function matchingRange(lines: readonly string[], block: readonly string[]): LineRange | undefined {
  const first = only(lines, block[0]?.trim() ?? '', 0);
  if (first === undefined) return undefined;
  const indent = indentOf(lines[first] ?? '');
  const last = block.at(-1)?.trim() ?? '';
  for (let i = first; i < lines.length; i += 1) {
    const line = lines[i] ?? '';
    if (line.trim() === last && indentOf(line) === indent && (i > first || block.length === 1)) return { start: first, end: i + 1 };
  }
  return undefined;
}

function only(lines: readonly string[], wanted: string, from: number): number | undefined {
  if (wanted === '') return undefined;
  const found = lines.findIndex((line, i) => i >= from && line.trim() === wanted);
  const again = lines.findLastIndex((line) => line.trim() === wanted);
  return found >= 0 && found === again ? found : undefined;
}

const indentOf = (line: string): string => /^[ \t]*/.exec(line)?.[0] ?? '';

/** The block moved to the indentation of the place, when it came without any. */
function reindent(block: readonly string[], indent: string): readonly string[] {
  if (indent === '' || block.some((line) => line !== '' && indentOf(line) !== '' && line === block[0])) return block;
  return indentOf(block[0] ?? '') === '' ? block.map((line) => (line === '' ? line : indent + line)) : block;
}
