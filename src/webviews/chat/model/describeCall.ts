import type { ToolCall } from '../../../protocol/chat.js';

export interface CallDescription {
  /** "searched", or "searching" while it runs. */
  readonly verb: string;
  /** What it was done to; may be empty. */
  readonly object: string;
  /** A file the line can open. */
  readonly location?: { readonly path: string; readonly line?: number };
}

const verbs: Readonly<Record<string, readonly [running: string, done: string]>> = {
  list_files: ['listing', 'listed'],
  read_file: ['reading', 'read'],
  search_text: ['searching', 'searched'],
  find_symbol: ['looking for', 'looked for'],
  diagnostics: ['checking problems', 'checked problems'],
  propose_edit: ['editing', 'edit'],
  run_command: ['running', 'command'],
};

/** A tool call in a few words. Unknown tools are shown by name with their first argument, so that a new tool is never invisible. */
export function describeCall(call: ToolCall, running: boolean): CallDescription {
  const verb = verbs[call.name]?.[running ? 0 : 1] ?? call.name;
  const text = (name: string): string | undefined => {
    const value = call.arguments[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const path = text('path');
  const quoted = text('pattern') ?? text('query') ?? text('name');
  const glob = text('glob');
  if (quoted !== undefined) return { verb, object: `"${oneLine(quoted)}"${glob === undefined ? '' : ` in ${oneLine(glob)}`}` };
  if (path !== undefined) {
    const line = lineOf(call.arguments['start_line']);
    return { verb, object: fileName(path) + rangeOf(line, lineOf(call.arguments['end_line'])), location: { path, ...(line === undefined ? {} : { line }) } };
  }
  if (call.name === 'list_files') return { verb, object: [text('under') ?? 'all files', glob].filter((part) => part !== undefined).map(oneLine).join(' ') };
  const firstString = Object.values(call.arguments).find((value): value is string => typeof value === 'string' && value !== '');
  return { verb, object: oneLine(text('command') ?? firstString ?? '') };
}

/** What came of a call, without what the line says anyway: `6 matches for "x" in 2 files` beside `searched "x"` becomes "6 matches in 2 files". */
export function outcomeOf(call: ToolCall, summary: string): string {
  const { path } = call.arguments;
  let text = summary.replace(/\s+/g, ' ').trim();
  if (typeof path === 'string' && path !== '' && text.startsWith(path)) text = text.slice(path.length).replace(/^[:\s]+/, '');
  if (call.name === 'read_file') text = text.replace(/^lines (\d+)-(\d+) of (\d+)$/, (range, first: string, last: string, all: string) => (saysRange(call, Number(first), Number(last)) ? `of ${all} lines` : range));
  if (call.name === 'search_text') text = text.replace(/ for "(?:[^"\\]|\\.)*"(?: in \S+(?= in |\.$))?/, '');
  if (call.name === 'find_symbol') text = text.replace(/ of \S+( found)?/, '$1');
  if (call.name === 'list_files') text = text.replace(/ (?:under|matching) .*$/, '');
  if (call.name === 'run_command') text = text.slice(text.lastIndexOf(': ') + 1).trim();
  text = text.replace(/\.$/, '');
  return /^[A-Z][a-z ]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}

/** Whether the call asked for these lines at least; a short file is shown whole, whatever was asked for. */
function saysRange({ arguments: { start_line: start, end_line: end } }: ToolCall, first: number, last: number): boolean {
  return start === first && (end === undefined || (typeof end === 'number' && end >= last));
}

/** The last part of a path: a line has no room for more, and its tooltip and its link hold the whole. */
const fileName = (path: string): string => oneLine(path.split('/').at(-1) || path);

function lineOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 ? value : undefined;
}

function rangeOf(start: number | undefined, end: number | undefined): string {
  if (start === undefined) return '';
  return end === undefined || end === start ? ` ${start}` : ` ${start}–${end}`;
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
}
