import type { ChatMessage, ToolDefinition } from '../../protocol/chat.js';
import type { PromptSegment } from '../../protocol/sidecar.js';
import { PromptBuilder } from './promptBuilder.js';
import { answerOpening, toolLineCall, toolLineInstructions, toolLineOpening } from './toolLine.js';

export type TurnRole = 'system' | 'user' | 'assistant';

/** How a family writes a conversation that is a row of marked turns. */
export interface TurnStyle {
  open(role: TurnRole): string;
  close(role: TurnRole): string;
  /** Where the system prompt goes: a turn of its own, or the start of the first user turn. */
  readonly system: 'turn' | 'firstUser';
  /** Whether the family's template trims what turns hold. */
  readonly trim: boolean;
}

type Reply = Extract<ChatMessage, { role: 'assistant' }>;

/** Renders the families that share the tool line protocol. */
export function renderTurns(style: TurnStyle, messages: readonly ChatMessage[], tools: readonly ToolDefinition[]): PromptSegment[] {
  const prompt = new PromptBuilder();
  const withTools = tools.length > 0;
  const content = (text: string): string => (style.trim ? text.trim() : text);
  const turn = (role: TurnRole, text: string, blocks: readonly string[] = []): void => {
    prompt.control(style.open(role)).text(text + (blocks.length > 0 ? '\n\n' : '')).blocks(blocks).control(style.close(role));
  };

  const first = messages[0];
  const rest = first?.role === 'system' ? messages.slice(1) : messages;
  let folded = systemPrompt(first?.role === 'system' ? content(first.content) : '', tools);
  const memory = first?.role === 'system' ? first.memory ?? [] : [];
  if (folded !== '' && (style.system === 'turn' || rest[0]?.role !== 'user')) {
    turn(style.system === 'turn' ? 'system' : 'user', folded, memory);
    folded = '';
  }
  for (const [index, message] of rest.entries()) {
    switch (message.role) {
      case 'system':
        turn(style.system === 'turn' ? 'system' : 'user', content(message.content));
        break;
      case 'user':
        if (folded === '') turn('user', content(message.content));
        else prompt.control(style.open('user')).text(`${folded}\n\n`).blocks(memory).text(content(message.content)).control(style.close('user'));
        folded = '';
        break;
      case 'assistant':
        prompt.control(style.open('assistant'));
        renderReply(prompt, { ...message, content: content(message.content) }, withTools);
        prompt.control(style.close('assistant'));
        break;
      case 'tool':
        // the results of one reply share a turn: some families insist that user and assistant alternate
        prompt.control(rest[index - 1]?.role === 'tool' ? '\n' : style.open('user'));
        prompt.control('<tool_response>\n').text(message.content).control('\n</tool_response>');
        if (rest[index + 1]?.role !== 'tool') prompt.control(style.close('user'));
        break;
    }
  }
  return prompt.control(style.open('assistant') + (withTools ? toolLineOpening : '')).build();
}

function systemPrompt(content: string, tools: readonly ToolDefinition[]): string {
  return [content, ...(tools.length === 0 ? [] : [toolLineInstructions(tools)])].filter((part) => part !== '').join('\n\n');
}

function renderReply(prompt: PromptBuilder, reply: Reply, withTools: boolean): void {
  const calls = reply.toolCalls ?? [];
  if (calls.length === 0) {
    prompt.control(withTools ? answerOpening : '').text(reply.content);
    return;
  }
  if (reply.content !== '') prompt.control(answerOpening).text(reply.content).control('\n');
  for (const [index, call] of calls.entries()) prompt.control((index > 0 ? '\n' : '') + toolLineOpening).text(toolLineCall(call));
}
