import type { ChatMessage, ToolDefinition } from '../../protocol/chat.js';
import type { PromptSegment } from '../../protocol/sidecar.js';
import type { ChatFormat } from '../formats/chatFormat.js';
import { toolLineOpening } from '../formats/toolLine.js';

/**
 * A second opinion before a tool is called of which nothing is known: small models name a tool that is near the subject although it
 * does something else, and see it themselves when they are asked. Costs the tokens of this question on a warm prefix; the question
 * is in no later prompt.
 */
const question = 'Is one of the tools made for exactly that? Reply with one word, yes or no.';

/** From this share of yes against no on, the tool is called. Set on questions that docs/eval/tool-calls.md does not report on. */
const callFrom = 0.82;

const yes = ['yes', 'Yes'];
const no = ['no', 'No'];
export const secondLookCandidates = [...yes, ...no];

export function secondLookPrompt(format: ChatFormat, messages: readonly ChatMessage[], tools: readonly ToolDefinition[]): PromptSegment[] {
  const prompt = format.render([...messages, { role: 'user', content: question }], tools);
  const last = prompt.at(-1);
  if (last?.control !== true || !last.text.endsWith(toolLineOpening)) return prompt;
  return [...prompt.slice(0, -1), { text: last.text.slice(0, -toolLineOpening.length), control: true }];
}

/** Whether the tool is to be called, from the probabilities of {@link secondLookCandidates}. */
export function secondLookAgrees(probabilities: readonly number[]): boolean {
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const agree = sum(probabilities.slice(0, yes.length));
  return agree >= callFrom * (agree + sum(probabilities.slice(yes.length)));
}
