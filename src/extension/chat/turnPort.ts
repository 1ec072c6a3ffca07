import type { AgentEvent } from '../../protocol/agentEvents.js';
import type { ChatMessage } from '../../protocol/chat.js';
import type { Attachment } from '../../protocol/conversation.js';

export interface TurnRequest {
  readonly turnId: string;
  readonly conversation: string;
  readonly question: string;
  readonly attachments: readonly Attachment[];
  readonly history: readonly ChatMessage[];
  /** URI of the folder that the conversation works in; absent when none is open. */
  readonly folder?: string;
}

/** Runs one turn: gets the model, reads the attachments, runs the agent. Ends with `turnFinished`, whatever goes wrong. */
export type RunTurn = (request: TurnRequest, signal: AbortSignal) => AsyncGenerator<AgentEvent, { readonly messages: readonly ChatMessage[] }>;
