import * as z from 'zod';

/** A chat message as the agent keeps it; each model family renders it in its own format (`src/model/formats`). */
export const toolCallSchema = z.object({
  id: z.string(),
  name: z.string(),
  arguments: z.record(z.string(), z.unknown()),
});
export type ToolCall = z.infer<typeof toolCallSchema>;

export const chatMessageSchema = z.discriminatedUnion('role', [
  /** `memory`: what is remembered of the repository, block by block; stands behind the content, and each block ends at a border. */
  z.object({ role: z.literal('system'), content: z.string(), memory: z.array(z.string()).optional() }),
  z.object({ role: z.literal('user'), content: z.string() }),
  z.object({ role: z.literal('assistant'), content: z.string(), toolCalls: z.array(toolCallSchema).optional() }),
  z.object({ role: z.literal('tool'), callId: z.string(), name: z.string(), content: z.string() }),
]);
export type ChatMessage = z.infer<typeof chatMessageSchema>;

/** JSON Schema, the subset that tool parameters use. */
export type JsonSchema = { readonly [key: string]: unknown };

export interface ToolDefinition {
  readonly name: string;
  readonly description: string;
  readonly parameters: JsonSchema;
  /**
   * Why a call in vain does no harm: the tool only `reads`, or it `asks` the user before it acts. Models call such tools more
   * readily. Absent where nothing is known of the tool.
   */
  readonly safety?: 'reads' | 'asks';
}

/** How a generation ended at the engine. `stop`: end of turn or a stop string; `length`: token limit or full context. */
export const finishReasons = ['stop', 'length', 'cancelled', 'error'] as const;
export type FinishReason = (typeof finishReasons)[number];

/**
 * What a generation cost. Times in milliseconds, monotonic. tokensIn counts the whole prompt, tokensCached the part of it
 * whose KV entries were already there, so `tokensIn - tokensCached` tokens were prefilled.
 */
export const generationStatsSchema = z.object({
  queueMs: z.number(),
  restoreMs: z.number(),
  prefillMs: z.number(),
  decodeMs: z.number(),
  tokensIn: z.number(),
  tokensCached: z.number(),
  /** Those of `tokensCached` that came from disk, for this request or before it and for no other; absent: none. `restoreMs` is what that took. */
  tokensRestored: z.number().optional(),
  /** Those of `tokensCached` that were evaluated before the request, while the user typed; absent: none. */
  tokensAhead: z.number().optional(),
  tokensOut: z.number(),
  /** Bytes of KV cache that the sequence occupies after the request; 0 where the runtime does not say. */
  kvBytes: z.number(),
  finish: z.enum(finishReasons),
});
export type GenerationStats = z.infer<typeof generationStatsSchema>;

export const emptyStats: GenerationStats = {
  queueMs: 0, restoreMs: 0, prefillMs: 0, decodeMs: 0, tokensIn: 0, tokensCached: 0, tokensOut: 0, kvBytes: 0, finish: 'stop',
};
