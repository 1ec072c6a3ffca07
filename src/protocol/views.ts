import * as z from 'zod';
import { type AgentEvent, rememberScopes } from './agentEvents.js';
import { type Attachment, type Conversation, type ConversationSummary, typedLimit } from './conversation.js';
import type { TraceTurn } from './trace.js';

/**
 * The one table of messages between the extension host and its webviews. What a view sends is validated by the host; the
 * host is trusted by the view. A view sends `ready` when it can receive, the host answers with the whole state, then with
 * changes: a view that was hidden or reloaded asks again and loses nothing.
 */
const attachment = z.object({
  kind: z.enum(['file', 'selection', 'problems', 'changes']),
  path: z.string().max(4096),
  startLine: z.number().int().min(1).optional(),
  endLine: z.number().int().min(1).optional(),
});

export const chatToHostSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('ask'), text: z.string().min(1).max(200_000), attachments: z.array(attachment).max(50) }),
  z.object({ type: z.literal('stop') }),
  z.object({ type: z.literal('retry'), turnId: z.string() }),
  /** Take back what a turn changed; the host asks where the user's own changes are in the way. */
  z.object({ type: z.literal('undoTurn'), turnId: z.string() }),
  z.object({ type: z.literal('restoreCheckpoint'), turnId: z.string() }),
  z.object({ type: z.literal('newChat') }),
  z.object({ type: z.literal('openConversation'), id: z.string() }),
  z.object({ type: z.literal('deleteConversation'), id: z.string() }),
  z.object({ type: z.literal('decide'), approvalId: z.string(), decision: z.enum(['accepted', 'rejected']), remember: z.enum(rememberScopes).optional() }),
  z.object({ type: z.literal('openDiff'), approvalId: z.string() }),
  z.object({ type: z.literal('openLocation'), path: z.string().max(4096), line: z.number().int().min(1).optional() }),
  z.object({ type: z.literal('insertCode'), code: z.string() }),
  /** Offer the code as an edit of the active file, with the same preview and approval as an agent's edit. */
  z.object({ type: z.literal('applyCode'), code: z.string(), language: z.string(), path: z.string().max(4096).optional() }),
  z.object({ type: z.literal('copy'), text: z.string() }),
  z.object({ type: z.literal('searchFiles'), query: z.string().max(500), request: z.number() }),
  z.object({ type: z.literal('currentSelection'), request: z.number() }),
  z.object({ type: z.literal('chooseModel') }),
  /** End checking and loading the model. */
  z.object({ type: z.literal('cancelLoading') }),
  z.object({ type: z.literal('chooseFolder') }),
  z.object({ type: z.literal('showTrace'), turnId: z.string().optional() }),
  /** What is typed but not sent: kept by the host so that a reload loses nothing. */
  z.object({ type: z.literal('draft'), text: z.string().max(200_000), attachments: z.array(attachment).max(50) }),
  /** The input has the focus, with the whole words of the question so far: they may be read ahead. Null: the user left the input. */
  z.object({ type: z.literal('typing'), typed: z.object({ text: z.string().max(typedLimit), attachments: z.array(attachment).max(50) }).nullable() }),
  z.object({ type: z.literal('openExternal'), url: z.string().max(4096) }),
  /** The next steps that an error or an empty state offers as a button; a closed list, so a view can never name a command. */
  z.object({ type: z.literal('action'), action: z.enum(['restartSidecar', 'showLog', 'chooseModelFile', 'manageTrust', 'openSettings']) }),
]);
export type ChatToHost = z.infer<typeof chatToHostSchema>;

export interface ModelBadge {
  readonly state: 'none' | 'idle' | 'downloading' | 'checking' | 'loading' | 'ready' | 'failed' | 'untrusted' | 'remote';
  /** For example "Qwen2.5-Coder 1.5B". */
  readonly label: string;
  /** For example "f16 · 8,192 tokens", or what is wrong and what to do. */
  readonly detail: string;
  /** 0..1 while downloading, checking the file or loading. */
  readonly fraction?: number;
  /** It is an endpoint that failed: there is no process to restart. */
  readonly endpoint?: true;
}

/** The folder that a chat works in, where several are open. */
export interface FolderBadge {
  readonly name: string;
  /** false: it was removed from the workspace. */
  readonly open: boolean;
}

/** Tokens of the conversation against the context the runtime really has. */
export interface ContextGauge { readonly used: number; readonly cached: number; readonly size: number }

export interface ChatState {
  readonly conversation: Conversation;
  readonly history: readonly ConversationSummary[];
  readonly running: string | null;
  readonly model: ModelBadge;
  readonly context: ContextGauge;
  readonly draft: { readonly text: string; readonly attachments: readonly Attachment[] };
  readonly trusted: boolean;
  /** Null where there is only one, or none. */
  readonly folder: FolderBadge | null;
}

export type HostToChat =
  | { readonly type: 'state'; readonly state: ChatState }
  | { readonly type: 'turnAdded'; readonly turnId: string; readonly question: string; readonly attachments: readonly Attachment[] }
  | { readonly type: 'event'; readonly turnId: string; readonly event: AgentEvent }
  | { readonly type: 'running'; readonly turnId: string | null }
  | { readonly type: 'model'; readonly model: ModelBadge }
  | { readonly type: 'context'; readonly context: ContextGauge }
  | { readonly type: 'folder'; readonly folder: FolderBadge | null }
  | { readonly type: 'files'; readonly request: number; readonly paths: readonly string[] }
  | { readonly type: 'selection'; readonly request: number; readonly selection: Attachment | null; /** Set when there is a selection, but in this other folder. */ readonly elsewhere?: string }
  | { readonly type: 'notice'; readonly level: 'info' | 'error'; readonly text: string }
  /** Put text and attachments into the input (commands such as Explain), without sending. */
  | { readonly type: 'prefill'; readonly text: string; readonly attachments: readonly Attachment[]; readonly focus: boolean }
  /** Show the list of conversations (command Chat History). */
  | { readonly type: 'showHistory' }
  /** Bring a turn into view, and what it waits for under the fingers of the user. */
  | { readonly type: 'showTurn'; readonly turnId: string };

export const traceToHostSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('select'), turnId: z.string() }),
  z.object({ type: z.literal('export') }),
  z.object({ type: z.literal('showChat'), turnId: z.string() }),
  z.object({ type: z.literal('openLocation'), path: z.string().max(4096), line: z.number().int().min(1).optional() }),
]);
export type TraceToHost = z.infer<typeof traceToHostSchema>;

export interface TraceTurnSummary { readonly turnId: string; readonly question: string; readonly at: number }

export type HostToTrace =
  | { readonly type: 'turns'; readonly turns: readonly TraceTurnSummary[]; readonly selected: string | null }
  /** The whole turn as known so far; sent again while it runs. `elapsedMs` is how long it has run by now: nothing may have happened for long. */
  | { readonly type: 'turn'; readonly turn: TraceTurn; readonly elapsedMs: number };
