import * as z from 'zod';
import { LoupeFailure } from '../../base/errors.js';
import type { WorkspacePort } from '../ports.js';
import { plural } from '../gates.js';
import { pathReach } from '../reach.js';
import { clip, escapeName, given, limits, listResult, splitLines } from './rows.js';
import { defineTool, emptyResult, type Tool } from './tool.js';

export function listFiles(workspace: WorkspacePort): Tool {
  return defineTool({
    name: 'list_files', class: 'read',
    description: 'Lists the files of the repository.',
    schema: z.object({
      under: z.string().optional().describe('folder'),
      glob: z.string().optional().describe('only files that match'),
    }),
    reach: ({ under }) => pathReach(workspace.root, under ?? ''),
    run: async ({ under, glob }, { signal }) => {
      const list = (of: { readonly glob?: string; readonly under?: string }): ReturnType<WorkspacePort['listFiles']> => workspace.listFiles({ ...of, limit: limits.files }, signal);
      const { paths, truncated } = await list(given({ under, glob })).catch(emptyIfMissing);
      const where = `${under ? ` under ${under}` : ''}${glob ? ` matching ${glob}` : ''}`;
      const note = `[Truncated: only the first ${limits.files} files. Narrow it with under or glob.]`;
      if (paths.length > 0 || where === '') return { ...listResult(paths.map(escapeName), truncated ? note : undefined, plural(paths.length, 'file') + where), onlyNames: true };
      // Small models guess folder after folder: what is there ends that.
      const all = await list({});
      const rows = [`There is no file${where}. All files of the repository:`, ...all.paths.map(escapeName)];
      return { ...listResult(rows, all.truncated ? note : undefined, `no file${where}`), outcome: 'empty', inconclusive: all.truncated, onlyNames: true };
    },
  });
}

function emptyIfMissing(thrown: unknown): Awaited<ReturnType<WorkspacePort['listFiles']>> {
  if (thrown instanceof LoupeFailure && thrown.error.code === 'path.notFound') return { paths: [], truncated: false };
  throw thrown;
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
    reach: ({ path }) => pathReach(workspace.root, path),
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

export function diagnostics(workspace: WorkspacePort): Tool {
  return defineTool({
    name: 'diagnostics', class: 'read',
    description: 'Lists the errors and warnings that the editor shows, of one file or all.',
    schema: z.object({ path: z.string().optional() }),
    reach: ({ path }) => pathReach(workspace.root, path ?? ''),
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
