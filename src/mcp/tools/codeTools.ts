import * as z from 'zod';
import { clip, escapeName } from '../../agent/tools/rows.js';
import { failure } from '../../base/errors.js';
import { normalisePath } from '../../context/files/paths.js';
import { plainName } from '../../context/symbols/facts.js';
import { offsetOf, pageOf } from '../pages.js';
import { match, matchRow } from './fileTools.js';
import { cursor, defineTool, nextCursor, rows, set } from './tool.js';

const mostDefinitions = 50;
const symbolsPerPage = 200;
const referencesPerPage = 100;
const problemsPerPage = 100;

function needName(name: string): string {
  const plain = plainName(name);
  if (!/^[\p{L}\p{N}_$]+$/u.test(plain)) throw failure('tool.badArguments', `${JSON.stringify(clip(name, 80))} is not a name.`, 'Use search_text for other text.');
  return plain;
}

export const findSymbol = defineTool({
  name: 'find_symbol', title: 'Find Symbol', effect: 'read',
  description: 'Finds where a function, class, type or variable is defined.',
  input: z.object({ name: z.string().min(1).max(400) }),
  output: z.object({ definitions: z.array(match.extend({ kind: z.string(), name: z.string() })), truncated: z.boolean() }),
  run: async ({ name }, { workspace, signal }) => {
    const found = await workspace.findSymbol(needName(name), mostDefinitions + 1, signal);
    const definitions = found.slice(0, mostDefinitions);
    return { text: rows(definitions.map(matchRow), undefined, `No definition of ${plainName(name)} found.`), data: { definitions, truncated: found.length > definitions.length } };
  },
});

export const fileSymbols = defineTool({
  name: 'file_symbols', title: 'File Symbols', effect: 'read', needsWindow: true,
  description: 'Lists what a file defines, from top to bottom, as its language server says.',
  input: z.object({ path: z.string(), cursor }),
  output: z.object({ symbols: z.array(z.object({ name: z.string(), kind: z.string(), line: z.number().int(), endLine: z.number().int(), depth: z.number().int() })), nextCursor }),
  run: async ({ path, cursor: at }, { workspace, signal }) => {
    const question = ['file_symbols', path];
    const offset = offsetOf(at, question);
    if (!workspace.window) throw failure('tool.failed', 'What a file defines is not known here: there is no editor.', 'Attach to a window.');
    const all = (await workspace.window.fileSymbols(path, signal)).map((symbol) => ({ ...symbol, name: clip(symbol.name, 300) }));
    const { items, nextCursor: next } = pageOf(all, offset, symbolsPerPage, question);
    const lines = items.map(({ name, kind, line, endLine, depth }) => `${'  '.repeat(Math.min(depth, 10))}${kind} ${name}, lines ${line}-${endLine}`);
    return { text: rows(lines, next, 'No language server says what this file defines.'), data: { symbols: items, ...set({ nextCursor: next }) } };
  },
});

export const findReferences = defineTool({
  name: 'find_references', title: 'Find References', effect: 'read',
  description: 'Finds where a name is used. With path, line and column of one use a language server says what really means it; else every place where the name stands as a word.',
  input: z.object({
    name: z.string().min(1).max(400), path: z.string().optional(), line: z.number().int().min(1).optional(), column: z.number().int().min(1).optional(), cursor,
  }),
  output: z.object({ references: z.array(match), source: z.enum(['languageServer', 'text']), nextCursor }),
  run: async ({ name, path, line, column = 1, cursor: at }, { workspace, signal }) => {
    const plain = needName(name);
    const place = path !== undefined && line !== undefined ? { path, line, column } : undefined;
    const question = ['find_references', plain, place];
    const offset = offsetOf(at, question);
    const { references, source } = await workspace.references({ name: plain, ...set({ place }) }, offset + referencesPerPage + 1, signal);
    const { items, nextCursor: next } = pageOf(references, offset, referencesPerPage, question);
    return { text: rows(items.map(matchRow), next, `No use of ${plain} found.`), data: { references: items, source, ...set({ nextCursor: next }) } };
  },
});

const mostRelated = 20;
const mostWords = 50;

export const relatedFiles = defineTool({
  name: 'related_files', title: 'Related Files', effect: 'read', needsWindow: true,
  description: 'Finds the files to read for a task: those that define or use the given names, are given by path, or that these lean on, with their main symbols. Without a question: what belongs to what the user works on.',
  input: z.object({ about: z.string().max(4_000).optional().describe('names of functions, classes or constants, and paths of files, separated by blanks') }),
  output: z.object({
    files: z.array(z.object({ path: z.string(), why: z.enum(['named', 'uses', 'related']), symbols: z.array(z.object({ name: z.string(), kind: z.string(), signature: z.string() })) })),
    unknown: z.array(z.string()),
  }),
  run: async ({ about = '' }, { workspace, signal }) => {
    if (!workspace.window) throw failure('tool.failed', 'There is no index of the repository here.', 'Attach to a window.');
    const words = [...new Set(about.split(/[\s,]+/).filter((word) => word !== '').map((word) => (/[\\/]/.test(word) ? normalisePath(word, workspace.root) : word)))].slice(0, mostWords);
    const { files, unknown } = await workspace.window.related(words.map((word) => word.slice(0, 400)), mostRelated, signal);
    const lines = files.map(({ path, why, symbols }) => [`${escapeName(path)}${why === 'related' ? '' : ` (${why})`}`, ...symbols.map(({ signature }) => `  ${signature}`)].join('\n'));
    const missing = unknown.length === 0 ? '' : `\n[not found: ${unknown.join(', ')}]`;
    return { text: `${rows(lines, undefined, 'Nothing of the repository has to do with that.')}${missing}`, data: { files, unknown } };
  },
});

const problem = z.object({ path: z.string(), line: z.number().int(), severity: z.enum(['error', 'warning', 'info']), message: z.string(), source: z.string().optional() });

export const diagnostics = defineTool({
  name: 'diagnostics', title: 'Diagnostics', effect: 'read', needsWindow: true,
  description: 'Lists the errors and warnings that the editor shows, of one file or all, the worst first.',
  input: z.object({ path: z.string().optional(), cursor }),
  output: z.object({ diagnostics: z.array(problem), nextCursor }),
  run: async ({ path, cursor: at }, { workspace, signal }) => {
    const question = ['diagnostics', path];
    const offset = offsetOf(at, question);
    const all = await workspace.diagnostics(path, signal);
    if (all === undefined) throw failure('tool.failed', 'Errors and warnings are not known here: there is no editor.', 'Attach to a window.');
    const { items, nextCursor: next } = pageOf(all.map((d) => ({ ...d, message: clip(d.message, 1_000) })), offset, problemsPerPage, question);
    return { text: rows(items.map(problemRow), next, 'No errors or warnings.'), data: { diagnostics: items, ...set({ nextCursor: next }) } };
  },
});

export const problemRow = (d: z.infer<typeof problem>): string => `${escapeName(d.path)}:${d.line}: ${d.severity}: ${d.message.replace(/\s+/g, ' ')}`;
