import type { CursorText } from '../../../src/languageServer/inline/cursorText.js';

/** A cursor from a text in which `|` marks the place. */
export function at(marked: string, languageId = 'typescript'): CursorText {
  const place = marked.indexOf('|');
  if (place === -1) throw new Error('no cursor in the text');
  return { languageId, before: marked.slice(0, place), after: marked.slice(place + 1) };
}
