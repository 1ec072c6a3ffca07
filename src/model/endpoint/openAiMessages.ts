import type { ChatMessage, ToolDefinition } from '../../protocol/chat.js';

/** Our messages in the form of OpenAI's chat completions. Pure and byte-stable, so that a server's prefix cache holds. */
export function toOpenAiMessages(messages: readonly ChatMessage[]): readonly Readonly<Record<string, unknown>>[] {
  return messages.map((message) => {
    if (message.role === 'tool') return { role: 'tool', tool_call_id: message.callId, name: message.name, content: message.content };
    if (message.role === 'system' && message.memory !== undefined) return { role: 'system', content: [message.content, ...message.memory].join('\n\n') };
    if (message.role !== 'assistant' || !message.toolCalls?.length) return { role: message.role, content: message.content };
    return {
      role: 'assistant',
      content: message.content,
      tool_calls: message.toolCalls.map((call) => ({ id: call.id, type: 'function', function: { name: call.name, arguments: JSON.stringify(call.arguments) } })),
    };
  });
}

export const toOpenAiTools = (tools: readonly ToolDefinition[]): readonly Readonly<Record<string, unknown>>[] =>
  tools.map(({ name, description, parameters }) => ({ type: 'function', function: { name, description, parameters } }));
