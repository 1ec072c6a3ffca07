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
  edit_file: ['editing', 'edit'],
  create_file: ['creating', 'create'],
  run_command: ['running', 'ran'],
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
  const firstString = Object.values(call.arguments).find((value): value is string => typeof value === 'string' && value !== '');
  const command = text('command');
  if (command !== undefined) return { verb, object: oneLine(command) };
  if (quoted !== undefined) return { verb, object: `"${oneLine(quoted)}"${path === undefined ? '' : ` in ${path}`}` };
  if (path !== undefined) {
    const line = lineOf(call.arguments);
    return { verb, object: oneLine(path) + rangeOf(call.arguments), location: { path, ...(line === undefined ? {} : { line }) } };
  }
  return { verb, object: oneLine(text('glob') ?? firstString ?? '') };
}

const startNames = ['startLine', 'start_line', 'start', 'from'];
const endNames = ['endLine', 'end_line', 'end', 'to'];

function lineOf(args: ToolCall['arguments'], names = startNames): number | undefined {
  for (const name of names) {
    const value = args[name];
    if (typeof value === 'number' && Number.isInteger(value) && value >= 1) return value;
  }
  return undefined;
}

function rangeOf(args: ToolCall['arguments']): string {
  const start = lineOf(args);
  const end = lineOf(args, endNames);
  if (start === undefined) return '';
  return end === undefined || end === start ? ` ${start}` : ` ${start}–${end}`;
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
}
