import type { LoupeError } from '../base/errors.js';
import type { Result } from '../base/result.js';
import type { ChatMessage, GenerationStats, ToolCall, ToolDefinition } from '../protocol/chat.js';
import type { PrefixStats } from '../protocol/memory.js';
import type { PromptSegment } from '../protocol/sidecar.js';

/** What a chat model says while it works, in order. Exactly one `finished` or `failed` comes last. */
export type ChatModelEvent =
  | { readonly type: 'progress'; readonly phase: 'queue' | 'restore' | 'prefill'; readonly done: number; readonly total: number }
  | { readonly type: 'text'; readonly text: string }
  /** A call whose arguments fit the tool's schema. */
  | { readonly type: 'toolCall'; readonly call: ToolCall }
  /** The model meant a call that cannot be understood or does not fit the schema. The loop decides whether to repair. */
  | { readonly type: 'malformedCall'; readonly raw: string; readonly problem: string }
  | { readonly type: 'finished'; readonly stats: GenerationStats }
  | { readonly type: 'failed'; readonly error: LoupeError; readonly stats?: GenerationStats };

export interface ChatRequest {
  /** Names the conversation: its prefix stays cached between requests. */
  readonly conversation: string;
  readonly messages: readonly ChatMessage[];
  readonly tools: readonly ToolDefinition[];
  /** `auto`: call or answer; `none`: answer only (last hop of a budget, titles, commit messages). */
  readonly toolChoice: 'auto' | 'none';
  /** What the caller knows about looking something up: true, it helps; false, nothing says so. Moves the decision between call and answer. */
  readonly eager?: boolean;
  readonly maxTokens: number;
  readonly temperature?: number;
}

export interface ChatModelInfo {
  /** Shown to the user, for example "Qwen2.5-Coder 1.5B Instruct". */
  readonly name: string;
  /** `local` runs in the sidecar, `endpoint` somewhere else. */
  readonly kind: 'local' | 'endpoint';
  /** Tokens that prompt and answer may have together, as the runtime really has them. */
  readonly contextSize: number;
}

export interface ChatModel {
  readonly info: ChatModelInfo;
  chat(request: ChatRequest, signal: AbortSignal): AsyncIterable<ChatModelEvent>;
  /**
   * Tokens of the whole rendered prompt, by the model's own tokenizer; an endpoint without one gives a cautious estimate
   * (never below the true count for ordinary text).
   */
  countPromptTokens(request: Pick<ChatRequest, 'messages' | 'tools' | 'toolChoice'>, signal: AbortSignal): Promise<number>;
  /**
   * Reads what a turn's first prompt begins with before it is asked. The last message is the user's, as far as it is known. Done only while the model has
   * nothing else to do. Absent where the model runs elsewhere: nothing is sent before the user asks.
   */
  prefill?(request: Pick<ChatRequest, 'conversation' | 'messages' | 'tools'>, signal: AbortSignal): Promise<Result<PrefixStats>>;
}

/** A chat model in the sidecar: what its prompts begin with can be read before anybody asks, and kept. */
export interface LocalModel extends ChatModel {
  /** What every prompt that begins with this system message and these tools has in common, up to the last border; empty where there is none. */
  prefix(system: Extract<ChatMessage, { role: 'system' }>, tools: readonly ToolDefinition[]): PromptSegment[];
}
