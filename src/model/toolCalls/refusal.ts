import type { ToolDefinition } from '../../protocol/chat.js';

/** How small models begin when they decline. As the first token of an answer, so that it costs one token on a warm prefix to know. */
export const refusalCandidates = ['Sorry', 'Unfortunately'];

/** From this probability on, a refusal is what the answer is likely to be: greedy decoding takes the likeliest word, and there are many. Set on questions that docs/eval/tool-calls.md does not report on. */
const refusesFrom = 0.2;

/**
 * Whether a model that was about to answer would only decline: then the tool that it thought of is what it needs. Asked where nothing is
 * known of the tools, since calls of others are made readily anyway.
 */
export const wouldRefuse = (probabilities: readonly number[]): boolean => probabilities.reduce((sum, one) => sum + one, 0) >= refusesFrom;

export const mayRefuse = (tools: readonly ToolDefinition[]): boolean => tools.some(({ safety }) => safety === undefined);
