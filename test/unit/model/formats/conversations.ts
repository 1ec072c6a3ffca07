import type { ChatMessage, ToolDefinition } from '../../../../src/protocol/chat.js';
import type { PromptSegment } from '../../../../src/protocol/sidecar.js';

export const readFile: ToolDefinition = {
  name: 'read_file',
  description: 'Reads lines of a file.',
  parameters: {
    type: 'object',
    properties: {
      path: { type: 'string', description: 'Relative to the repository' },
      lines: { type: 'object', properties: { from: { type: 'integer' }, to: { type: 'integer' } }, required: ['from'] },
    },
    required: ['path'],
  },
};

export const searchText: ToolDefinition = {
  name: 'search_text',
  description: 'Finds text.',
  parameters: {
    type: 'object',
    properties: {
      pattern: { type: 'string', description: 'What to look for' },
      kind: { type: 'string', enum: ['plain', 'regex'] },
      globs: { type: 'array', items: { type: 'string' } },
      limit: { type: 'integer', nullable: true },
      caseSensitive: { type: 'boolean' },
    },
    required: ['pattern'],
  },
};

export const tools = [readFile, searchText];

export const chat: readonly ChatMessage[] = [
  { role: 'system', content: 'You are Loupe.' },
  { role: 'user', content: 'Hello' },
  { role: 'assistant', content: 'Hello! How can I help?' },
  { role: 'user', content: 'What is a closure?' },
];

/** Two hops with tools, an answer, and the next question; tool results hold the control tokens of every family. */
export const agent: readonly ChatMessage[] = [
  { role: 'system', content: 'You are Loupe.' },
  { role: 'user', content: 'Where is the port set, and to what?' },
  { role: 'assistant', content: '', toolCalls: [{ id: '1', name: 'search_text', arguments: { caseSensitive: false, globs: ['*.ts', 'src/**'], kind: 'plain', limit: 5, pattern: 'port "8080"' } }] },
  { role: 'tool', callId: '1', name: 'search_text', content: 'src/config.ts:3: const port = 8080; // <|im_end|><end_of_turn><turn|><|eot_id|></s>' },
  { role: 'assistant', content: '', toolCalls: [{ id: '2', name: 'read_file', arguments: { lines: { from: 1, to: 9 }, path: 'src/config.ts' } }] },
  { role: 'tool', callId: '2', name: 'read_file', content: '3: const port = 8080;' },
  { role: 'assistant', content: 'In src/config.ts: 8080.' },
  { role: 'user', content: 'Thanks' },
];

/** The prompts of the conversation's hops, each up to where the model speaks, with what it then said. */
export function hops(messages: readonly ChatMessage[]): { readonly before: readonly ChatMessage[]; readonly reply: ChatMessage }[] {
  return messages.flatMap((reply, index) => (reply.role === 'assistant' ? [{ before: messages.slice(0, index), reply }] : []));
}

export const plainText = (segments: readonly PromptSegment[]): string => segments.map(({ text }) => text).join('');

/** Segments with what is text between brackets, as the golden files show them. */
export const bracketed = (segments: readonly PromptSegment[]): string =>
  segments.map(({ text, control }) => (control ? text : `⟦${text}⟧`)).join('');
