import * as z from 'zod';
import { LoupeFailure } from '../../base/errors.js';
import { plural } from '../gates.js';
import type { SymbolMatch, WorkspacePort } from '../ports.js';
import { escapeRegex } from '../workspace/symbols.js';
import { clip, escapeName, limits, listResult, numbered, place, splitLines } from './rows.js';
import { nearMatches, rowsOf } from './searchText.js';
import { defineTool, emptyResult, type Tool, type ToolResult } from './tool.js';

export function findSymbol(workspace: WorkspacePort): Tool {
  return defineTool({
    name: 'find_symbol', class: 'read',
    description: 'Finds where a function, class, type or variable is defined, with its first lines, and where it is used.',
    schema: z.object({ name: z.string().min(1) }),
    run: async ({ name }, { signal }) => {
      // Models ask for `Store.load` and `load()`; what is defined is `load`.
      const plain = name.trim().replace(/\(.*$/, '').split(/[.#]|::|->/).at(-1) ?? name;
      if (!/^[\p{L}\p{N}_$]+$/u.test(plain)) return emptyResult(`${JSON.stringify(clip(name, 80))} is not a name. Use search_text for other text.`);
      const found = await workspace.findSymbol(plain, limits.symbols + 1, signal);
      if (found.length === 0) return undefinedName(workspace, plain, signal);
      const shown = found.slice(0, limits.symbols);
      const note = found.length > shown.length ? `[Truncated: only the first ${limits.symbols} definitions. Use search_text with glob for more.]` : undefined;
      const rows = await Promise.all(shown.map(async (s, index) =>
        `${escapeName(s.path)}:${s.line}: ${clip(s.text, limits.lineLength)}${index < limits.bodies ? await following(workspace, s, signal) : ''}`));
      const uses = await usesOf(workspace, plain, found, signal);
      return listResult([...rows, ...uses], note, `${plural(shown.length, 'definition')} of ${plain}`);
    },
  });
}

/** The lines that use a name: "who calls it" is what is asked next, and small models answer it from the definition alone. */
async function usesOf(workspace: WorkspacePort, name: string, definitions: readonly SymbolMatch[], signal: AbortSignal): Promise<string[]> {
  const limit = limits.uses + definitions.length;
  const { matches, truncated } = await workspace.searchText({ pattern: String.raw`\b${escapeRegex(name)}\b`, regex: true, caseSensitive: true, limit }, signal);
  const uses = matches.filter(({ path, line }) => !definitions.some((d) => d.path === path && d.line === line));
  if (uses.length === 0) return [];
  const more = truncated || uses.length > limits.uses ? ['[more uses: search_text]'] : [];
  return ['Used in:', ...uses.slice(0, limits.uses).map(place), ...more];
}

/** What is not defined under this name may be part of one that is. */
async function undefinedName(workspace: WorkspacePort, name: string, signal: AbortSignal): Promise<ToolResult> {
  const { matches } = await workspace.searchText({ pattern: name, regex: false, caseSensitive: false, limit: limits.matches }, signal);
  if (matches.length === 0) {
    return (await nearMatches(workspace, name, {}, name, signal)) ?? emptyResult(`No definition of ${name} found. Use search_text with one of its words.`);
  }
  // The lines first: a small model takes a "not found" at the top for the whole answer.
  const rows = [...await rowsOf(workspace, matches, signal), `[${name} is part of these lines, not a name of its own]`];
  return { ...listResult(rows, undefined, `no definition of ${name}, ${plural(matches.length, 'line')} with it`), inconclusive: true };
}

/** The lines after a definition, numbered: mostly what the next question is about, and a hop less. Empty if the file cannot be read. */
async function following(workspace: WorkspacePort, { path, line }: { readonly path: string; readonly line: number }, signal: AbortSignal): Promise<string> {
  try {
    const lines = splitLines(await workspace.readFile(path, signal)).slice(line, line + limits.bodyLines);
    return lines.map((text, index) => `\n${numbered(line + 1 + index, text)}`).join('');
  } catch (thrown) {
    if (thrown instanceof LoupeFailure) return ''; // the place is worth telling even so
    throw thrown;
  }
}
