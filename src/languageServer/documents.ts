import type { Position, Range, SelectedCompletionInfo } from 'vscode-languageserver/node';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { CursorText } from './inline/cursorText.js';
import { headToLineEnd, tailFromLineStart } from './inline/promptWindow.js';

/** No prompt window is larger than this many characters before and after the cursor. */
const mostBefore = 65_536;
const mostAfter = 16_384;

export interface Insertion {
  readonly cursor: CursorText;
  /** What the suggestion replaces, and the text that must come before it there. */
  readonly range: Range;
  readonly lead: string;
}

/**
 * The text around a position, as if the selected entry of the suggestion list were already accepted. Undefined when that entry
 * does not simply continue what is typed: the editor would show no suggestion beside it.
 */
export function insertionAt(document: TextDocument, position: Position, selected?: SelectedCompletionInfo): Insertion | undefined {
  const start = selected?.range.start ?? position;
  const lead = selected?.text ?? '';
  if (selected !== undefined) {
    const { end } = selected.range;
    const typed = document.getText({ start, end: position });
    if (end.line !== position.line || end.character !== position.character || !lead.startsWith(typed)) return undefined;
  }
  const text = document.getText();
  const at = document.offsetAt(position);
  const before = normalise(text.slice(Math.max(0, at - 2 * mostBefore), document.offsetAt(start)));
  const after = normalise(text.slice(at, at + 2 * mostAfter));
  const cursor = {
    languageId: document.languageId,
    before: tailFromLineStart(before, mostBefore) + lead,
    after: headToLineEnd(after, mostAfter),
  };
  return { cursor, range: { start, end: position }, lead };
}

const normalise = (text: string): string => text.replaceAll('\r\n', '\n');

/** Path of a document relative to the workspace folder it is in, or its bare name; forward slashes. */
export function displayPath(uri: string, folders: readonly string[]): string {
  const folder = folders.map((root) => (root.endsWith('/') ? root : `${root}/`)).find((root) => uri.startsWith(root));
  const path = folder === undefined ? uri.slice(uri.lastIndexOf('/') + 1) : uri.slice(folder.length);
  try {
    return decodeURIComponent(path);
  } catch {
    return path; // a lone percent sign: show the address as it is
  }
}
