import { fenced } from '../../base/fence.js';
import { revealHidden } from '../../base/hiddenText.js';

/** A path as a prompt shows it: on one line, with nothing in it that cannot be seen. */
export function displayPath(path: string): string {
  return revealHidden(path).text.replace(/[\n\r\t]/g, (character) => ({ '\n': '\\n', '\r': '\\r', '\t': '\\t' })[character] ?? character);
}

/** A text as a prompt shows it: hidden characters as escapes, lines that end in the same way on every system. */
export function displayText(text: string): string {
  return revealHidden(text.replaceAll('\r\n', '\n')).text;
}

/** Heading and fenced text, with the empty line that parts one block from the next. */
export function blockText(heading: string, text: string, language = ''): string {
  return `${heading}\n${fenced(text, language)}\n\n`;
}
