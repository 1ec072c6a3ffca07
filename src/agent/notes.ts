import type { ToolOutcome } from '../protocol/agentEvents.js';
import type { ToolCall } from '../protocol/chat.js';

export interface CallRecord { readonly call: ToolCall; readonly outcome: ToolOutcome; readonly summary: string }

const mostLines = 5;

/**
 * What did not work, for the end of an answer. Written by the program and always present, because a small model cannot be
 * relied on to say it. Empty when every call gave something.
 */
export function failureNote(records: readonly CallRecord[]): string {
  const lines = [...new Set(records.filter(({ outcome }) => outcome !== 'ok').map(line))];
  if (lines.length === 0) return '';
  const shown = lines.slice(0, mostLines);
  if (lines.length > mostLines) shown.push(`> - and ${lines.length - mostLines} more`);
  return `> What gave no result:\n${shown.join('\n')}`;
}

function line({ call, outcome, summary }: CallRecord): string {
  const word = outcome === 'empty' ? 'nothing found' : outcome === 'refused' ? 'not done' : 'failed';
  return `> - \`${call.name}\` ${word}: ${oneLine(summary)}`;
}

/** Markdown of a tool must not become Markdown of the answer. */
function oneLine(text: string): string {
  const flat = text.replace(/\s+/g, ' ').trim().replace(/[\\`*_[\]<>#|!]/g, '\\$&');
  return flat.length > 200 ? `${flat.slice(0, 200)}…` : flat;
}
