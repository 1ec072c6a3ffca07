import type { ToolResult } from './tool.js';

/** Sizes in lines, items and characters. Small: a local model reads a few hundred tokens per second. */
export const limits = { files: 100, lines: 200, shortLines: 60, shortCharacters: 3_000, characters: 8_000, matches: 30, symbols: 15, diagnostics: 30, lineLength: 240, words: 8, nearMatches: 300, matchesInContext: 4, linesBefore: 2, linesAfter: 6, uses: 6, bodies: 2, bodyLines: 12 } as const;

/** Rows up to the size limit; what is left out is said. */
export function listResult(rows: readonly string[], note: string | undefined, summary: string): ToolResult {
  let size = 0;
  const fitting = rows.findIndex((row) => (size += row.length + 1) > limits.characters);
  const shown = fitting <= 0 ? rows : rows.slice(0, fitting);
  const cut = shown.length < rows.length ? `[Truncated: ${rows.length - shown.length} more. Ask for something narrower.]` : note;
  return { outcome: 'ok', content: [...shown, ...(cut ? [cut] : [])].join('\n'), summary, truncated: cut !== undefined };
}

export const place = ({ path, line, text }: { path: string; line: number; text: string }): string => `${escapeName(path)}:${line}: ${clip(text.trim(), limits.lineLength)}`;

/** A file name may hold line breaks; in a list it must not look like two entries. */
export const escapeName = (path: string): string => path.replace(/[\r\n]/g, (c) => (c === '\n' ? '\\n' : '\\r'));

export const clip = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length)}…` : text);

export function splitLines(text: string): string[] {
  const lines = text.split(/\r\n|\n|\r/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** Only what is set: the ports' optional fields do not take undefined. */
export function given<T extends Record<string, string | undefined>>(fields: T): { [K in keyof T]?: string } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== '')) as { [K in keyof T]?: string };
}

/** A line of a file with its number, as the model sees it everywhere. */
export const numbered = (line: number, text: string): string => `${line}|${clip(text, limits.lineLength)}`;
