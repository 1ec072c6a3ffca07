import * as z from 'zod';
import { LoupeFailure } from '../../base/errors.js';
import { plural } from '../gates.js';
import type { TextMatch, WorkspacePort } from '../ports.js';
import { clip, escapeName, given, limits, listResult, numbered, place, splitLines } from './rows.js';
import { defineTool, emptyResult, type Tool, type ToolResult } from './tool.js';

type Where = { readonly glob?: string };

export function searchText(workspace: WorkspacePort): Tool {
  return defineTool({
    name: 'search_text', class: 'read',
    description: 'Finds the lines that contain a text, in all files of the repository: uses, calls, settings, comments.',
    schema: z.object({
      pattern: z.string().min(1),
      regex: z.boolean().optional().describe('pattern is a regular expression'),
      glob: z.string().optional().describe('only in files that match'),
    }),
    run: async ({ pattern, regex = false, glob }, { signal }) => {
      const { matches, truncated } = await workspace.searchText({ pattern, regex, caseSensitive: false, ...given({ glob }), limit: limits.matches }, signal);
      const what = JSON.stringify(clip(pattern, 80)) + (glob ? ` in ${glob}` : '');
      if (matches.length === 0) return (await nearMatches(workspace, pattern, given({ glob }), what, signal)) ?? nothing(what);
      const files = new Set(matches.map(({ path }) => path)).size;
      const note = `[Truncated: only the first ${limits.matches} matches. Search for something longer or use glob.]`;
      const summary = `${matches.length === 1 ? '1 match' : `${matches.length} matches`} for ${what} in ${plural(files, 'file')}`;
      return listResult(await rowsOf(workspace, matches, signal), truncated ? note : undefined, summary);
    },
  });
}

/** Says where, or a small model takes it for a statement about the world. */
const nothing = (what: string): ToolResult => ({ ...emptyResult(`No match for ${what} in this repository.`), summary: `no match for ${what}` });

/**
 * Small models search for a whole phrase, or for a name that they made up of the words they are after. Where it stands nowhere, the
 * lines with most of its words are what they meant. Undefined if there are none, or if the pattern is one word as it is.
 */
export async function nearMatches(workspace: WorkspacePort, pattern: string, where: Where, what: string, signal: AbortSignal): Promise<ToolResult | undefined> {
  const words = wordsOf(pattern).slice(0, limits.words);
  if (words.length === 0 || words[0] === pattern.trim().toLowerCase()) return undefined;
  const { matches } = await workspace.searchText({ pattern: words.join('|'), regex: true, caseSensitive: false, ...where, limit: limits.nearMatches }, signal);
  const held = (text: string): number => words.filter((word) => text.toLowerCase().includes(word)).length;
  const most = Math.max(0, ...matches.map(({ text }) => held(text)));
  const best = matches.filter(({ text }) => held(text) === most).slice(0, limits.matches);
  if (best.length === 0) return undefined;
  // The lines first: a small model takes a "no match" at the top for the whole answer.
  const rows = [...await rowsOf(workspace, best, signal), `[No line has ${what} as a whole; these have ${most} of its words.]`];
  const result = listResult(rows, undefined, `no match for ${what}, ${plural(best.length, 'line')} with ${most} of its words`);
  return { ...result, truncated: true, inconclusive: true };
}

const empty = new Set(['the', 'and', 'for', 'with', 'from', 'into', 'how', 'what', 'when', 'where', 'which', 'that', 'this', 'are', 'was', 'not', 'get', 'set']);

/** The words of a phrase or a joined name, without their endings: `missedReadings` gives `miss` and `reading`. */
function wordsOf(pattern: string): string[] {
  const parts = pattern.replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2').toLowerCase().match(/[\p{L}\p{N}]{3,}/gu) ?? [];
  return [...new Set(parts.filter((word) => !empty.has(word)).map(stem))];
}

const stem = (word: string): string => (word.length > 5 ? word.replace(/(?:ing|ed|es|s)$/u, '') : word);

/**
 * Few matches come with the lines around them, which is mostly what the next question is about: a hop less. Of many, what defines
 * something comes first, with its lines.
 */
export async function rowsOf(workspace: WorkspacePort, matches: readonly TextMatch[], signal: AbortSignal): Promise<string[]> {
  if (matches.length <= limits.matchesInContext) return inContext(workspace, matches, signal);
  const defining = matches.filter(({ text }) => definition.test(text)).slice(0, limits.bodies);
  return [...await inContext(workspace, defining, signal), ...matches.filter((match) => !defining.includes(match)).map(place)];
}

const definition = /^\s*(?:(?:export|default|public|private|static|final|async|pub)\s+)*(?:class|interface|enum|type|struct|trait|function|func|fn|def|const|let|var|val)\s+[\w$]+|^[A-Z][A-Z0-9_]+\s*=/;

async function inContext(workspace: WorkspacePort, matches: readonly TextMatch[], signal: AbortSignal): Promise<string[]> {
  const files = [...new Set(matches.map(({ path }) => path))];
  const parts = await Promise.all(files.map((path) => around(workspace, path, matches.filter((match) => match.path === path), signal)));
  return parts.flat();
}

async function around(workspace: WorkspacePort, path: string, matches: readonly TextMatch[], signal: AbortSignal): Promise<string[]> {
  let lines: string[];
  try {
    lines = splitLines(await workspace.readFile(path, signal));
  } catch (thrown) {
    if (thrown instanceof LoupeFailure) return matches.map(place); // the places are worth telling even so
    throw thrown;
  }
  const near = (line: number): boolean => matches.some((match) => line >= match.line - limits.linesBefore && line <= match.line + limits.linesAfter);
  const at = matches.map(({ line }) => line).join(', ');
  return [`${escapeName(path)}, around line ${at}:`, ...lines.flatMap((text, index) => (near(index + 1) ? [numbered(index + 1, text)] : []))];
}
