/** What is around the cursor, with `\n` line ends. Both texts may be parts of the file, cut at line borders. */
export interface CursorText {
  readonly languageId: string;
  readonly before: string;
  readonly after: string;
}

/** The part of the cursor's line left of the cursor. */
export const linePrefix = ({ before }: CursorText): string => before.slice(before.lastIndexOf('\n') + 1);

/** The part of the cursor's line right of the cursor. */
export function lineSuffix({ after }: CursorText): string {
  const end = after.indexOf('\n');
  return end === -1 ? after : after.slice(0, end);
}

/** The nearest line above the cursor's that is not blank; undefined at the top. */
export const previousLine = (cursor: CursorText): string | undefined => previousLines(cursor, 1)[0];

/** At most `count` lines above the cursor's that are not blank, the nearest last. */
export const previousLines = ({ before }: CursorText, count: number): readonly string[] =>
  count === 0 ? [] : before.split('\n').slice(0, -1).filter((line) => line.trim() !== '').slice(-count);

/** The nearest line below the cursor's that is not blank; undefined at the bottom. */
export function nextLine({ after }: CursorText): string | undefined {
  return after.split('\n').slice(1).find((line) => line.trim() !== '');
}

const tabWidth = 4;

/** Width of the leading white space in columns; a tab reaches the next multiple of four. */
export function indentOf(line: string): number {
  let column = 0;
  for (const char of line) {
    if (char === ' ') column++;
    else if (char === '\t') column += tabWidth - (column % tabWidth);
    else break;
  }
  return column;
}

/** Closing brackets and what commonly follows them, or a word that closes a block; nothing else. */
export const isCloser = (line: string): boolean =>
  /^\s*(?:[)\]}]+[)\]}>;,]*|end|fi|done|esac)\s*$/u.test(line) || /^\s*<\/[\w.-]*>\s*$/u.test(line);

export const isWordChar = (char: string | undefined): boolean => char !== undefined && /[\p{L}\p{N}_$]/u.test(char);
