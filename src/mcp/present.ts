import { hiddenNote, revealHidden } from '../base/hiddenText.js';

/** Characters of a result. The tools cap lower; this holds whatever they return. */
export const mostCharacters = 64 * 1024;

export interface Presented { readonly text: string; readonly data: Record<string, unknown> }

/**
 * What a client gets to see: hidden characters as visible escapes, in the text and in the data, and counted at the end of the text.
 * Throws where the data is larger than any tool may return: cut data would not fit its schema.
 */
export function present(text: string, data: Record<string, unknown>): Presented {
  const counter = { count: 0 };
  const shownData = reveal(data, counter) as Record<string, unknown>;
  const shown = revealHidden(text);
  const note = hiddenNote(Math.max(shown.count, counter.count));
  if (JSON.stringify(shownData).length > 4 * mostCharacters) throw new Error('The result of a tool is larger than any may be');
  const cut = shown.text.length > mostCharacters ? `${shown.text.slice(0, mostCharacters)}\n[cut to ${mostCharacters} characters]` : shown.text;
  return { text: note === undefined ? cut : `${cut}\n[${note}]`, data: shownData };
}

function reveal(value: unknown, counter: { count: number }): unknown {
  if (typeof value === 'string') {
    const { text, count } = revealHidden(value);
    counter.count += count;
    return text;
  }
  if (Array.isArray(value)) return value.map((item) => reveal(item, counter));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, reveal(item, counter)]));
}
