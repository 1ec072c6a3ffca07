import type { ToolDefinition } from '../../protocol/chat.js';
import { noTool } from '../formats/toolLine.js';

/**
 * From this probability of `none` on, the model answers. A tool that is `harmless` to call in vain is called when the model leans to
 * it; any other only when the model is nearly sure, as a wrong call does something that nobody asked for. The figures were set on
 * questions that docs/eval/tool-calls.md does not report on.
 */
const answerFrom = { harmless: 0.5, other: 0.06 };

export const decisionCandidates = (tools: readonly ToolDefinition[]): string[] => [noTool, ...tools.map((tool) => ` ${tool.name}`)];

/** Call or answer, from the probabilities of {@link decisionCandidates} as the first token after the opening of the tool line. */
export function decidesToAnswer(probabilities: readonly number[], tools: readonly ToolDefinition[]): boolean {
  const [none = 0, ...names] = probabilities;
  const likeliest = tools[names.indexOf(Math.max(...names))];
  return none >= (likeliest?.harmless === true ? answerFrom.harmless : answerFrom.other);
}
