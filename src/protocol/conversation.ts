import type { AgentEvent } from './agentEvents.js';

/** What the user attached to a question: by @file, @selection, or a command. Ranges are 1-based lines, inclusive. */
export interface Attachment {
  readonly kind: 'file' | 'selection' | 'problems' | 'changes';
  /** Relative to the workspace folder. */
  readonly path: string;
  readonly startLine?: number;
  readonly endLine?: number;
  /** Filled by the extension when the turn starts; the view sends it empty. */
  readonly text?: string;
}

export interface Turn {
  readonly id: string;
  readonly question: string;
  readonly attachments: readonly Attachment[];
  /** All events of the turn. Text deltas are merged when a turn is stored. */
  readonly events: readonly AgentEvent[];
}

export interface Conversation {
  readonly id: string;
  readonly title: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** URI of the workspace folder that its paths belong to. Absent while nothing was asked in it. */
  readonly folder?: string;
  readonly turns: readonly Turn[];
}

export type ConversationSummary = Pick<Conversation, 'id' | 'title' | 'updatedAt'> & { readonly turns: number };

/** Characters of a question that are read while it is typed. */
export const typedLimit = 20_000;
