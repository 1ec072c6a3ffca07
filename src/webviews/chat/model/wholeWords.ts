import { typedLimit } from '../../../protocol/conversation.js';

/** The question as far as it will stay when the user goes on typing: up to the last whole word, with no space at either end. */
export function wholeWords(text: string): string {
  const begun = text.trimStart().slice(0, typedLimit);
  let end = begun.length;
  while (end > 0 && !/\s/.test(begun.charAt(end - 1))) end--;
  return begun.slice(0, end).trimEnd();
}
