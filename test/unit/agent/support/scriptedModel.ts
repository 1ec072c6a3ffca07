import type { ChatModel, ChatModelEvent, ChatRequest } from '../../../../src/model/chatModel.js';
import { emptyStats, type ChatMessage, type GenerationStats } from '../../../../src/protocol/chat.js';

/** One reply of the scripted model: its events, or a function that makes them from the request. */
export type Reply = readonly ScriptedEvent[] | ((request: ChatRequest, signal: AbortSignal) => AsyncIterable<ChatModelEvent>);
export type ScriptedEvent = ChatModelEvent | 'hang' | 'throw' | (() => void);

let nextCall = 0;

export const text = (content: string): ChatModelEvent => ({ type: 'text', text: content });
export const call = (name: string, args: Record<string, unknown> = {}, id = `call-${nextCall++}`): ChatModelEvent =>
  ({ type: 'toolCall', call: { id, name, arguments: args } });
export const malformed = (problem = 'no closing brace.', raw = '{"name": "read_file"'): ChatModelEvent => ({ type: 'malformedCall', raw, problem });
export const finished = (stats: Partial<GenerationStats> = {}): ChatModelEvent =>
  ({ type: 'finished', stats: { ...emptyStats, tokensIn: 100, tokensCached: 90, tokensOut: 10, ...stats } });

export const answer = (content: string, stats: Partial<GenerationStats> = {}): ScriptedEvent[] => [text(content), finished(stats)];
export const calls = (...events: ChatModelEvent[]): ScriptedEvent[] => [...events, finished()];

/** A model that plays back replies and keeps what it was asked. Running out of replies is a failure of the test. */
export class ScriptedModel implements ChatModel {
  readonly requests: ChatRequest[] = [];
  readonly info;

  constructor(private readonly replies: readonly Reply[], contextSize = 8_192, private readonly count = countWords) {
    this.info = { name: 'scripted', kind: 'local' as const, contextSize };
  }

  async *chat(request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatModelEvent> {
    const reply = this.replies[this.requests.length];
    this.requests.push(request);
    if (!reply) throw new Error(`The script has no reply number ${this.requests.length}`);
    if (typeof reply === 'function') {
      yield* reply(request, signal);
      return;
    }
    for (const event of reply) {
      await Promise.resolve();
      if (event === 'hang') await new Promise(() => undefined);
      else if (event === 'throw') throw new Error('broken pipe');
      else if (typeof event === 'function') event();
      else yield event;
    }
  }

  countPromptTokens(request: Pick<ChatRequest, 'messages' | 'tools' | 'toolChoice'>): Promise<number> {
    return Promise.resolve(this.count(request.messages));
  }
}

/** One token per four characters, plus four per message: near enough to a tokenizer, and exact for the tests. */
export function countWords(messages: readonly ChatMessage[]): number {
  return messages.reduce((sum, m) => sum + 4 + Math.ceil((m.content.length + (m.role === 'assistant' ? JSON.stringify(m.toolCalls ?? []).length : 0)) / 4), 0);
}
