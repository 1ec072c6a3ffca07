import type { ChatRequest } from '../chatModel.js';
import { toOpenAiMessages, toOpenAiTools } from './openAiMessages.js';

/** Tokens that a chat template adds around one message, and once for tools: above what the known templates need. */
const perMessage = 8;
const perConversation = 32;
const forTools = 220;

/**
 * Tokens that a prompt has at most, for endpoints that cannot count. Cautious: against the Qwen2.5 tokenizer it is above the true
 * count for code, prose and Chinese alike (test/integration/model/endpoint.test.ts measures how far).
 */
export function estimatePromptTokens({ messages, tools }: Pick<ChatRequest, 'messages' | 'tools'>): number {
  let total = perConversation;
  for (const message of toOpenAiMessages(messages)) {
    total += perMessage + estimateTokens(typeof message['content'] === 'string' ? message['content'] : '');
    if (message['tool_calls']) total += estimateTokens(JSON.stringify(message['tool_calls']));
  }
  return tools.length === 0 ? total : total + forTools + estimateTokens(JSON.stringify(toOpenAiTools(tools)));
}

/** Words by their length, digits and signs one by one, other scripts two for each character. */
export function estimateTokens(text: string): number {
  let total = 0;
  for (const [piece] of text.matchAll(/[A-Za-z]+|[0-9]|[ \t]+|\s+|[!-~]|[^\x00-\x7f]+|./gs)) {
    const first = piece.charCodeAt(0);
    if (first > 0x7f) total += 2 * piece.length;
    else if (/[A-Za-z]/.test(piece)) total += Math.ceil(piece.length / 3);
    else if (piece === ' ') continue; // part of the word that follows
    else total += 1;
  }
  return total;
}
