import type { ChatMessage, ToolDefinition } from '../protocol/chat.js';
import type { PromptSegment } from '../protocol/sidecar.js';
import type { ChatFormat } from './formats/chatFormat.js';

/** Stands where the message goes on: a character of private use, so that no format trims it or takes it for an empty message. */
const cursor = '\u{E000}';

/**
 * The prompt of these messages up to where the last one, the user's, may go on: without what closes it, and without the model's turn. Whatever is added to that
 * message, the rendered prompt begins with this text.
 */
export function openPrompt(format: Pick<ChatFormat, 'render'>, messages: readonly ChatMessage[], tools: readonly ToolDefinition[]): PromptSegment[] {
  const last = messages.at(-1);
  if (last?.role !== 'user') throw new RangeError('The last message of an open prompt is the user\'s');
  const segments = format.render(messages.with(-1, { ...last, content: last.content + cursor }), tools);
  const end = segments.findLastIndex(({ text, control }) => !control && text.endsWith(cursor));
  const open = segments[end];
  if (open === undefined) throw new Error('The format hides the end of the last message');
  const text = open.text.slice(0, -cursor.length);
  return [...segments.slice(0, end), ...(text === '' ? [] : [{ ...open, text }])];
}
