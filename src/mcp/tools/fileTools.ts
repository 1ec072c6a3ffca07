import * as z from 'zod';
import { clip, escapeName, splitLines } from '../../agent/tools/rows.js';
import { normalisePath } from '../../context/files/paths.js';
import { offsetOf, pageOf } from '../pages.js';
import { cursor, defineTool, nextCursor, rows, set } from './tool.js';

const filesPerPage = 200;
const matchesPerPage = 100;
const linesPerPage = 1_000;
const charactersPerPage = 40_000;
const longestLine = 2_000;

export const listFiles = defineTool({
  name: 'list_files', title: 'List Files', effect: 'read',
  description: 'Lists the files of the workspace, sorted by path. Ignored files and files that hold credentials are left out.',
  input: z.object({ under: z.string().optional().describe('only below this folder'), glob: z.string().optional().describe('only files that match; without a slash, by name'), cursor }),
  output: z.object({ files: z.array(z.string()), nextCursor }),
  run: async ({ under, glob, cursor: at }, { workspace, signal }) => {
    const question = ['list_files', under, glob];
    const offset = offsetOf(at, question);
    const { paths } = await workspace.listFiles({ ...set({ under, glob }), limit: offset + filesPerPage + 1 }, signal);
    const { items, nextCursor: next } = pageOf(paths, offset, filesPerPage, question);
    return { text: rows(items.map(escapeName), next, 'There is no such file.'), data: { files: items, ...set({ nextCursor: next }) } };
  },
});

export const readFile = defineTool({
  name: 'read_file', title: 'Read File', effect: 'read',
  description: 'Reads a file of the workspace as the user sees it: unsaved changes of an open editor included. Lines are numbered in the text, not in the structured result.',
  input: z.object({
    path: z.string(), startLine: z.number().int().min(1).optional(),
    endLine: z.number().int().min(1).optional().describe('the last line, included'),
  }),
  output: z.object({
    path: z.string(), text: z.string(), startLine: z.number().int(), endLine: z.number().int(), totalLines: z.number().int(),
    truncated: z.boolean().describe('lines that were asked for are missing, or long lines are cut'),
    unsaved: z.boolean().describe('the text has changes that are not on disk'),
  }),
  run: async ({ path, startLine = 1, endLine }, { workspace, signal }) => {
    const { text, unsaved } = await workspace.read(path, signal);
    const lines = splitLines(text);
    const last = Math.min(lines.length, endLine ?? lines.length);
    const shown: string[] = [];
    let size = 0;
    let cut = false;
    for (let n = startLine; n <= last && shown.length < linesPerPage; n++) {
      const line = clip(lines[n - 1] ?? '', longestLine);
      size += line.length + 8;
      if (size > charactersPerPage && shown.length > 0) break;
      cut ||= line !== lines[n - 1];
      shown.push(line);
    }
    const reached = startLine + shown.length - 1;
    const truncated = cut || reached < last;
    const notes = [
      unsaved ? 'with unsaved changes' : undefined,
      reached < last ? `lines ${reached + 1}-${last} are not shown; go on with startLine ${reached + 1}` : undefined,
      cut ? 'long lines are cut' : undefined,
      shown.length === 0 ? `the file has ${lines.length} lines` : undefined,
    ].filter((note) => note !== undefined);
    const name = normalisePath(path, workspace.root);
    const body = [escapeName(name), ...shown.map((line, index) => `${startLine + index}|${line}`), ...(notes.length > 0 ? [`[${notes.join('; ')}]`] : [])];
    return { text: body.join('\n'), data: { path: name, text: shown.join('\n'), startLine, endLine: reached, totalLines: lines.length, truncated, unsaved } };
  },
});

export const match = z.object({ path: z.string(), line: z.number().int(), text: z.string() });

export const matchRow = ({ path, line, text }: z.infer<typeof match>): string => `${escapeName(path)}:${line}: ${clip(text.trim(), 300)}`;

export const searchText = defineTool({
  name: 'search_text', title: 'Search Text', effect: 'read',
  description: 'Finds the lines that contain a text, in all files of the workspace. A plain pattern finds unsaved text of open editors too.',
  input: z.object({
    pattern: z.string().min(1), regex: z.boolean().optional().describe('pattern is a regular expression of ripgrep'),
    caseSensitive: z.boolean().optional(), glob: z.string().optional().describe('only in files that match'), cursor,
  }),
  output: z.object({ matches: z.array(match), nextCursor }),
  run: async ({ pattern, regex = false, caseSensitive = false, glob, cursor: at }, { workspace, signal }) => {
    const question = ['search_text', pattern, regex, caseSensitive, glob];
    const offset = offsetOf(at, question);
    const { matches } = await workspace.searchText({ pattern, regex, caseSensitive, ...set({ glob }), limit: offset + matchesPerPage + 1 }, signal);
    const { items, nextCursor: next } = pageOf(matches, offset, matchesPerPage, question);
    return { text: rows(items.map(matchRow), next, 'No match.'), data: { matches: items, ...set({ nextCursor: next }) } };
  },
});
