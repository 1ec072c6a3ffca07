import type { Result } from '../base/result.js';
import type { PrefixStats } from '../protocol/memory.js';
import { type FirstInput, firstPrompt } from './prefix.js';
import { promptLimit } from './turnState.js';
import type { TurnDeps, TurnInput } from './turn.js';

/**
 * Has the model read the first prompt of a turn that is still being typed, up to the end of what is known of its goal. Undefined where there is nothing to do:
 * the model cannot, or the prompt is so long that the turn will condense it first. Throws what the model's count throws.
 */
export async function readAhead(
  { model, tools }: Pick<TurnDeps, 'model' | 'tools'>, input: FirstInput & Pick<TurnInput, 'conversation'>, signal: AbortSignal,
): Promise<Result<PrefixStats> | undefined> {
  if (!model.prefill) return undefined;
  const { system, tools: offered, window } = firstPrompt(tools, input);
  const request = { conversation: input.conversation, messages: [system, ...window.messages], tools: offered };
  const tokens = await model.countPromptTokens({ ...request, toolChoice: 'auto' }, signal);
  return tokens > promptLimit(model.info.contextSize) ? undefined : model.prefill(request, signal);
}
