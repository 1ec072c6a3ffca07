import type { ChatMessage, ToolCall, ToolDefinition } from '../../protocol/chat.js';
import { noTool, toolLineCall } from '../formats/toolLine.js';
import type { NamedCall } from './callSyntax.js';
import { inventsNumbers } from './inventedNumbers.js';

/**
 * From this probability of `none` on, the model answers, by what a call in vain would do: a tool that reads is called when the model
 * leans to it, less so once several results are there; nearly always where the caller knows that a look helps, and only when it is
 * rather sure where nothing says so; one that asks the user, when it is more likely than not; any other only when the model is nearly
 * sure. Set on questions that docs/eval/tool-calls.md does not report on.
 */
const answerFrom = { eager: 0.92, reluctant: 0.3, reads: 0.52, readsAgain: 0.25, asks: 0.3, unknown: 0.06 };
/** A call of an unknown tool with numbers that nobody gave is made only below this. */
const certain = 0.003;
const severalResults = 3;

export const decisionCandidates = (tools: readonly ToolDefinition[]): string[] => [noTool, ...tools.map((tool) => ` ${tool.name}`)];

export type Decision = 'answer' | 'call' | 'lookAgain';

/** Call or answer, or a second look before a tool is called of which nothing is known, from the probabilities of {@link decisionCandidates} as the first token after the opening of the tool line. */
export function decide(probabilities: readonly number[], tools: readonly ToolDefinition[], messages: readonly ChatMessage[], eager?: boolean): Decision {
  const [none = 0, ...names] = probabilities;
  const likeliest = tools[names.indexOf(Math.max(...names))];
  switch (likeliest?.safety) {
    case undefined: return none >= answerFrom.unknown ? 'answer' : 'lookAgain';
    case 'asks': return none >= answerFrom.asks ? 'answer' : 'call';
    case 'reads': {
      if (eager !== undefined) return none >= (eager ? answerFrom.eager : answerFrom.reluctant) ? 'answer' : 'call';
      const results = turnOf(messages).filter(({ role }) => role === 'tool').length;
      return none >= (results < severalResults ? answerFrom.reads : answerFrom.readsAgain) ? 'answer' : 'call';
    }
  }
}

/** Whether a call of a tool of which nothing is known is better not made, once it is written. */
export const isDoubtful = (call: NamedCall, none: number, tools: readonly ToolDefinition[], messages: readonly ChatMessage[]): boolean =>
  none >= certain && tools.find(({ name }) => name === call.name)?.safety === undefined && inventsNumbers(call, tools, messages);

/** Whether the turn has made this very call already and only read since: its result is in the prompt, so asking again adds nothing. */
export function repeatsItself(call: NamedCall, tools: readonly ToolDefinition[], messages: readonly ChatMessage[]): boolean {
  const written = toolLineCall(call);
  for (const earlier of callsOf(messages).reverse()) {
    if (tools.find(({ name }) => name === earlier.name)?.safety !== 'reads') return false;
    if (toolLineCall(earlier) === written) return true;
  }
  return false;
}

const callsOf = (messages: readonly ChatMessage[]): ToolCall[] =>
  turnOf(messages).flatMap((message) => (message.role === 'assistant' ? message.toolCalls ?? [] : []));

const turnOf = (messages: readonly ChatMessage[]): readonly ChatMessage[] => messages.slice(messages.findLastIndex(({ role }) => role === 'user') + 1);
