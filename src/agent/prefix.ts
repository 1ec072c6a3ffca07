import type { Zone } from '../protocol/agentEvents.js';
import type { ToolDefinition } from '../protocol/chat.js';
import type { Window } from './condense.js';
import { type SystemMessage, systemMessage, userMessage } from './prompt.js';
import { offeredTools } from './toolRunner.js';
import type { Tool } from './tools/tool.js';
import type { TurnInput, TurnMemory } from './turn.js';

/** What every prompt of a turn begins with: the system message, with what is remembered of the repository, and the tools. */
export interface TurnPrefix { readonly system: SystemMessage; readonly tools: readonly ToolDefinition[] }

/** Pure: the same tools, zone and memory give the same bytes, in every window and conversation. */
export function turnPrefix(tools: readonly Tool[], zone: Zone, memory?: TurnMemory): TurnPrefix {
  const offered = offeredTools(tools, zone);
  return { system: systemMessage(new Set(offered.map((tool) => tool.class)), memory), tools: offered.map(({ definition }) => definition) };
}

/** What a turn's first prompt is made of; `goal` and `context` may be known in part only. */
export type FirstInput = Pick<TurnInput, 'goal' | 'context' | 'history' | 'zone' | 'memory'>;

export interface FirstPrompt extends TurnPrefix { readonly window: Window }

/**
 * The first prompt of a turn: the prefix, then the window's messages. Pure. A goal that goes on changes nothing before its end, so what was read of the
 * prompt while the user typed is of use for the turn.
 */
export function firstPrompt(tools: readonly Tool[], { goal, context, history, zone, memory }: FirstInput): FirstPrompt {
  const before = history.filter((message) => message.role !== 'system');
  return { ...turnPrefix(tools, zone, memory), window: { messages: [...before, { role: 'user', content: userMessage(context, goal) }], goal: before.length } };
}
