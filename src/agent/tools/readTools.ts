import * as z from 'zod';
import { LoupeFailure } from '../../base/errors.js';
import type { WorkspacePort } from '../ports.js';
import { plural } from '../gates.js';
import { defineTool, emptyResult, type Tool, type ToolResult } from './tool.js';

/** Sizes in lines, items and characters. Small: a local model reads a few hundred tokens per second. */
const limits = { files: 100, lines: 200, shortLines: 60, shortCharacters: 3_000, characters: 8_000, matches: 30, symbols: 15, diagnostics: 30, lineLength: 240, words: 8, nearMatches: 300, bodies: 2, bodyLines: 12 } as const;

export function listFiles(workspace: WorkspacePort): Tool {
  return defineTool({
    name: 'list_files', class: 'read',
    description: 'Lists the files of the repository.',
    schema: z.object({
      under: z.string().optional().describe('folder'),
      glob: z.string().optional().describe('only files that match'),
    }),
    run: async ({ under, glob }, { signal }) => {
      const { paths, truncated } = await workspace.listFiles({ ...given({ under, glob }), limit: limits.files }, signal);
      const where = `${under ? ` under ${under}` : ''}${glob ? ` matching ${glob}` : ''}`;
      if (paths.length === 0) return emptyResult(`No files${where}.`);
      const note = `[Truncated: only the first ${limits.files} files. Narrow it with under or glob.]`;
      return listResult(paths.map(escapeName), truncated ? note : undefined, plural(paths.length, 'file') + where);
    },
  });
}

export function readFile(workspace: WorkspacePort): Tool {
  return defineTool({
    name: 'read_file', class: 'read',
    description: 'Reads a file of the repository, or some of its lines.',
    schema: z.object({
      path: z.string(),
      start_line: z.coerce.number().int().min(1).optional(),
      end_line: z.coerce.number().int().min(1).optional(),
    }),
    run: async ({ path, start_line: from = 1, end_line: to }, { signal }) => {
      const text = await workspace.readFile(path, signal);
      const lines = splitLines(text);
      if (lines.length === 0) return emptyResult(`${path} is empty.`);
      // Small models ask for the first lines of a file and then guess the rest: a short file is shown whole whatever they ask for.
      const short = lines.length <= limits.shortLines && text.length <= limits.shortCharacters;
      const [start, end] = short ? [1, undefined] : [from, to];
      if (start > lines.length) return emptyResult(`${path} has only ${plural(lines.length, 'line')}.`);
      const last = Math.min(lines.length, Math.max(start, end ?? lines.length));
      const shown: string[] = [];
      let size = 0;
      let longLine = false;
      for (let n = start; n <= last && shown.length < limits.lines; n++) {
        const text = lines[n - 1] ?? '';
        longLine ||= text.length > 2_000;
        const line = `${n}|${clip(text, 2_000)}`;
        size += line.length + 1;
        if (size > limits.characters && shown.length > 0) break;
        shown.push(line);
      }
      const reached = start + shown.length - 1;
      const notes = [
        ...(reached < last ? [`lines ${reached + 1}-${last} are not shown; read on with start_line ${reached + 1}`] : []),
        ...(reached >= last && last < lines.length ? [`the file has ${lines.length} lines`] : []),
        ...(longLine ? ['long lines are cut'] : []),
      ];
      const truncated = reached < last || longLine;
      return {
        outcome: 'ok', truncated, summary: `${path} lines ${start}-${reached} of ${lines.length}`,
        content: `${path}\n${shown.join('\n')}${notes.length > 0 ? `\n[${truncated ? 'Truncated: ' : ''}${notes.join('; ')}]` : ''}`,
      };
    },
  });
}

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
      if (matches.length === 0) return (await nearMatches(workspace, pattern, given({ glob }), what, signal)) ?? emptyResult(`No match for ${what}.`);
      const files = new Set(matches.map(({ path }) => path)).size;
      const note = `[Truncated: only the first ${limits.matches} matches. Search for something longer or use glob.]`;
      return listResult(matches.map(place), truncated ? note : undefined, `${matches.length === 1 ? '1 match' : `${matches.length} matches`} for ${what} in ${plural(files, 'file')}`);
    },
  });
}

/**
 * Small models search for a whole phrase, or for a name that they made up of the words they are after. Where it stands nowhere, the
 * lines with most of its words are what they meant. Undefined if there are none, or if the pattern is a single word.
 */
async function nearMatches(workspace: WorkspacePort, pattern: string, where: { readonly glob?: string }, what: string, signal: AbortSignal): Promise<ToolResult | undefined> {
  const parts = pattern.replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2').toLowerCase().match(/[\p{L}\p{N}]{4,}/gu) ?? [];
  const words = [...new Set(parts)].slice(0, limits.words);
  if (words.length < 2) return undefined;
  const { matches } = await workspace.searchText({ pattern: words.join('|'), regex: true, caseSensitive: false, ...where, limit: limits.nearMatches }, signal);
  const held = (text: string): number => words.filter((word) => text.toLowerCase().includes(word)).length;
  const most = Math.max(0, ...matches.map(({ text }) => held(text)));
  const best = matches.filter(({ text }) => held(text) === most).slice(0, limits.matches);
  if (best.length === 0) return undefined;
  const result = listResult([`No match for ${what}. Lines with ${most} of its words:`, ...best.map(place)], undefined, `no match for ${what}, ${plural(best.length, 'line')} with ${most} of its words`);
  return { ...result, truncated: true };
}

export function findSymbol(workspace: WorkspacePort): Tool {
  return defineTool({
    name: 'find_symbol', class: 'read',
    description: 'Finds where a function, class, type or variable is defined, and shows its first lines.',
    schema: z.object({ name: z.string().min(1) }),
    run: async ({ name }, { signal }) => {
      // Models ask for `Store.load` and `load()`; what is defined is `load`.
      const plain = name.trim().replace(/\(.*$/, '').split(/[.#]|::|->/).at(-1) ?? name;
      if (!/^[\p{L}\p{N}_$]+$/u.test(plain)) return emptyResult(`${JSON.stringify(clip(name, 80))} is not a name. Use search_text for other text.`);
      const found = await workspace.findSymbol(plain, limits.symbols + 1, signal);
      if (found.length === 0) return emptyResult(`No definition of ${plain} found. Use search_text with one of its words.`);
      const shown = found.slice(0, limits.symbols);
      const note = found.length > shown.length ? `[Truncated: only the first ${limits.symbols} definitions. Use search_text with glob for more.]` : undefined;
      const rows = await Promise.all(shown.map(async (s, index) =>
        `${escapeName(s.path)}:${s.line}: ${clip(s.text, limits.lineLength)}${index < limits.bodies ? await following(workspace, s, signal) : ''}`));
      return listResult(rows, note, `${plural(shown.length, 'definition')} of ${plain}`);
    },
  });
}

/** The lines after a definition, numbered: mostly what the next question is about, and a hop less. Empty if the file cannot be read. */
async function following(workspace: WorkspacePort, { path, line }: { readonly path: string; readonly line: number }, signal: AbortSignal): Promise<string> {
  try {
    const lines = splitLines(await workspace.readFile(path, signal)).slice(line, line + limits.bodyLines);
    return lines.map((text, index) => `\n${line + 1 + index}|${clip(text, limits.lineLength)}`).join('');
  } catch (thrown) {
    if (thrown instanceof LoupeFailure) return ''; // the place is worth telling even so
    throw thrown;
  }
}

export function diagnostics(workspace: WorkspacePort): Tool {
  return defineTool({
    name: 'diagnostics', class: 'read',
    description: 'Lists the errors and warnings that the editor shows, of one file or all.',
    schema: z.object({ path: z.string().optional() }),
    run: async ({ path }, { signal }) => {
      const all = await workspace.diagnostics(path, signal);
      if (!all) return emptyResult('Errors and warnings are not known here: there is no editor.');
      if (all.length === 0) return { outcome: 'ok', content: `No errors or warnings${path ? ` in ${path}` : ''}.`, summary: 'no problems', truncated: false };
      const order = { error: 0, warning: 1, info: 2 } as const;
      const sorted = [...all].sort((a, b) => order[a.severity] - order[b.severity]);
      const note = `[Truncated: ${all.length - limits.diagnostics} more. Ask for one file with path.]`;
      const rows = sorted.slice(0, limits.diagnostics).map((d) => `${escapeName(d.path)}:${d.line}: ${d.severity}: ${clip(d.message.replace(/\s+/g, ' '), limits.lineLength)}`);
      return listResult(rows, all.length > limits.diagnostics ? note : undefined, plural(all.length, 'problem'));
    },
  });
}

/** Rows up to the size limit; what is left out is said. */
function listResult(rows: readonly string[], note: string | undefined, summary: string): ToolResult {
  let size = 0;
  const fitting = rows.findIndex((row) => (size += row.length + 1) > limits.characters);
  const shown = fitting <= 0 ? rows : rows.slice(0, fitting);
  const cut = shown.length < rows.length ? `[Truncated: ${rows.length - shown.length} more. Ask for something narrower.]` : note;
  return { outcome: 'ok', content: [...shown, ...(cut ? [cut] : [])].join('\n'), summary, truncated: cut !== undefined };
}

const place = ({ path, line, text }: { path: string; line: number; text: string }): string => `${escapeName(path)}:${line}: ${clip(text.trim(), limits.lineLength)}`;

/** A file name may hold line breaks; in a list it must not look like two entries. */
const escapeName = (path: string): string => path.replace(/[\r\n]/g, (c) => (c === '\n' ? '\\n' : '\\r'));

const clip = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length)}…` : text);

function splitLines(text: string): string[] {
  const lines = text.split(/\r\n|\n|\r/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** Only what is set: the ports' optional fields do not take undefined. */
function given<T extends Record<string, string | undefined>>(fields: T): { [K in keyof T]?: string } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== '')) as { [K in keyof T]?: string };
}
