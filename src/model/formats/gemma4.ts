import type { ChatMessage, ToolDefinition } from '../../protocol/chat.js';
import type { PromptSegment } from '../../protocol/sidecar.js';
import type { ChatFormat } from './chatFormat.js';
import { writeDeclaration, writeFields, writeString } from './gemma4Values.js';
import { PromptBuilder } from './promptBuilder.js';

/** Opens a model turn with thinking switched off: an empty thought. */
const modelTurn = '<|turn>model\n<|channel>thought\n<channel|>';

export const gemma4CallOpening = '<|tool_call>';

/**
 * Gemma 4. A reply with calls, the results and what the model says next are one model turn, and the results follow the calls directly.
 *
 * Byte-equal to the family's template (test/unit/model/formats/gemma4.test.ts) but for two things, both so that prompts stay
 * append-only: the template takes the empty thought out of earlier turns, and it moves text that came before a call behind the results.
 */
export const gemma4: ChatFormat = {
  family: 'gemma4',
  stop: ['<turn|>', '<|tool_response>'],
  thought: { open: '<|channel>', close: '<channel|>' },
  calls: 'gemma4',
  render,
};

function render(messages: readonly ChatMessage[], tools: readonly ToolDefinition[]): PromptSegment[] {
  const prompt = new PromptBuilder();
  const first = messages[0];
  const system = first?.role === 'system' ? first.content.trim() : undefined;
  const memory = first?.role === 'system' ? first.memory ?? [] : [];
  if (system !== undefined || tools.length > 0) {
    prompt.control('<|turn>system\n').text(system ?? '');
    for (const tool of tools) {
      prompt.control('<|tool>');
      writeDeclaration(prompt, tool);
      prompt.control('<tool|>');
    }
    if (memory.length > 0) prompt.text('\n').blocks(memory);
    prompt.control('<turn|>\n');
  }

  let inModelTurn = false;
  for (const message of system === undefined ? messages : messages.slice(1)) {
    switch (message.role) {
      case 'system':
      case 'user':
        prompt.control(`<|turn>${message.role}\n`).text(message.content.trim()).control('<turn|>\n');
        inModelTurn = false;
        break;
      case 'assistant': {
        if (!inModelTurn) prompt.control(modelTurn);
        prompt.text(message.content.trim());
        const calls = message.toolCalls ?? [];
        for (const call of calls) {
          prompt.control(`${gemma4CallOpening}call:`).word(call.name).control('{');
          writeFields(prompt, call.arguments);
          prompt.control('}<tool_call|>');
        }
        inModelTurn = calls.length > 0;
        if (!inModelTurn) prompt.control('<turn|>\n');
        break;
      }
      case 'tool':
        prompt.control('<|tool_response>response:').word(message.name).control('{value:');
        writeString(prompt, message.content);
        prompt.control('}<tool_response|>');
        break;
    }
  }
  if (!inModelTurn) prompt.control(modelTurn);
  return prompt.build();
}
