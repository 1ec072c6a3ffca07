import type { TextMatch } from '../../agent/ports.js';

/** Longest line that is reported, in characters. */
const mostLineLength = 300;

/** Lines of an unsaved text that contain the pattern literally; 1-based. */
export function searchBuffer(path: string, text: string, options: { readonly pattern: string; readonly caseSensitive: boolean; readonly limit: number }): TextMatch[] {
  const fold = (s: string): string => (options.caseSensitive ? s : s.toLowerCase());
  const wanted = fold(options.pattern);
  if (wanted === '') return [];
  const matches: TextMatch[] = [];
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (fold(line).includes(wanted)) matches.push({ path, line: i + 1, text: line.slice(0, mostLineLength) });
    if (matches.length >= options.limit) break;
  }
  return matches;
}
