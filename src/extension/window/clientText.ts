import { failure } from '../../base/errors.js';
import { revealHidden } from '../../base/hiddenText.js';

/** A dialog shows no more than this in full; what cannot be read is not asked. */
const mostCharacters = 1_000;
const mostLines = 15;
const longestName = 40;

/** With hidden characters as escapes. */
export const shown = (text: string): string => revealHidden(text).text;

/** What a program calls itself, on one line and short. */
export function clientName(name: string): string {
  const plain = shown(name).replace(/\s+/g, ' ').trim();
  return plain === '' ? 'A program' : plain.length > longestName ? `${plain.slice(0, longestName)}…` : plain;
}

/** A command as a dialog can show it. Throws `tool.refused` for one whose end would be out of sight. */
export function inFull(command: string): string {
  const whole = shown(command);
  if (whole.length > mostCharacters || whole.split('\n').length > mostLines) {
    throw failure('tool.refused', 'The command is too long to be shown in full.', 'Put it into a file with propose_edit and run that.');
  }
  return whole;
}
