import type { ChatMessage, ToolDefinition } from '../../protocol/chat.js';
import type { PromptSegment } from '../../protocol/sidecar.js';

export type ChatFamily = 'chatml' | 'gemma3' | 'gemma4' | 'llama3' | 'mistral' | 'plain';

/**
 * How one family of models is spoken to. `render` is pure and append-only: if the model answers a prompt and messages follow, the
 * next prompt begins with the earlier prompt and that answer, so what is in the KV cache stays of use. It holds no date and
 * no random id, and never reorders.
 */
export interface ChatFormat {
  readonly family: ChatFamily;
  /** The whole prompt, up to and with the opening of the model's next turn. */
  render(messages: readonly ChatMessage[], tools: readonly ToolDefinition[]): PromptSegment[];
  /** Texts that end the model's turn, for models that write them as text. */
  readonly stop: readonly string[];
  /** What the model writes around thoughts, which are not shown. */
  readonly thought?: { readonly open: string; readonly close: string };
  /** `toolLine`: the shared protocol of `toolLine.ts`. `gemma4`: calls between the family's own control tokens. */
  readonly calls: 'toolLine' | 'gemma4';
}
