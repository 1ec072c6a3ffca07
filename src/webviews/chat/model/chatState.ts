import type { Attachment, ConversationSummary } from '../../../protocol/conversation.js';
import type { ContextGauge, FolderBadge, HostToChat, ModelBadge } from '../../../protocol/views.js';
import { foldEvent, markDecided, newTurn, turnViewOf, type TurnView } from './turnView.js';

/** Everything the chat shows except what is typed. */
export interface ChatViewState {
  /** false until the host has sent the whole state. */
  readonly loaded: boolean;
  readonly conversationId: string;
  readonly title: string;
  readonly turns: readonly TurnView[];
  readonly history: readonly ConversationSummary[];
  readonly running: string | null;
  readonly model: ModelBadge;
  readonly context: ContextGauge;
  readonly trusted: boolean;
  readonly folder: FolderBadge | null;
  readonly notice?: { readonly level: 'info' | 'error'; readonly text: string; readonly key: number };
  readonly historyOpen: boolean;
  /** The turn that the host wants in view; `key` changes with each request. */
  readonly shownTurn?: { readonly turnId: string; readonly key: number };
  /** What the host wants in the input; `key` changes with each request. */
  readonly input: { readonly text: string; readonly attachments: readonly Attachment[]; readonly kind: 'draft' | 'prefill'; readonly focus: boolean; readonly key: number };
  readonly files: { readonly request: number; readonly paths: readonly string[] };
  readonly selection: { readonly request: number; readonly selection: Attachment | null; readonly elsewhere?: string };
}

/** What the user does in the view and the host need not confirm. */
export type LocalAction =
  | { readonly type: 'local/decided'; readonly approvalId: string }
  | { readonly type: 'local/history'; readonly open: boolean }
  | { readonly type: 'local/dismissNotice' };

export const initialChatState: ChatViewState = {
  loaded: false, conversationId: '', title: '', turns: [], history: [], running: null,
  model: { state: 'loading', label: '', detail: '' }, context: { used: 0, cached: 0, size: 0 }, trusted: true, folder: null, historyOpen: false,
  input: { text: '', attachments: [], kind: 'draft', focus: false, key: 0 },
  files: { request: 0, paths: [] }, selection: { request: 0, selection: null },
};

/** Pure. Events for turns that are not known are dropped: the whole state that follows `ready` holds them. */
export function reduceChat(state: ChatViewState, message: HostToChat | LocalAction): ChatViewState {
  switch (message.type) {
    case 'state': {
      const { conversation, history, running, model, context, draft, trusted, folder } = message.state;
      const sameConversation = conversation.id === state.conversationId;
      return {
        ...state,
        loaded: true,
        conversationId: conversation.id,
        title: conversation.title,
        turns: conversation.turns.map(turnViewOf),
        history, running, model, context, trusted, folder,
        historyOpen: sameConversation && state.historyOpen,
        input: { ...draft, kind: 'draft', focus: false, key: state.input.key + 1 },
      };
    }
    case 'turnAdded': {
      const turn = newTurn(message.turnId, message.question, message.attachments);
      const known = state.turns.some(({ id }) => id === message.turnId);
      return { ...state, turns: known ? state.turns.map((old) => (old.id === turn.id ? turn : old)) : [...state.turns, turn], historyOpen: false };
    }
    case 'event':
      return changeTurn(state, message.turnId, (turn) => foldEvent(turn, message.event));
    case 'running':
      return { ...state, running: message.turnId };
    case 'model':
      return { ...state, model: message.model };
    case 'context':
      return { ...state, context: message.context };
    case 'folder':
      return { ...state, folder: message.folder };
    case 'files':
      return { ...state, files: { request: message.request, paths: message.paths } };
    case 'selection':
      return { ...state, selection: { request: message.request, selection: message.selection, ...(message.elsewhere === undefined ? {} : { elsewhere: message.elsewhere }) } };
    case 'notice':
      return { ...state, notice: { level: message.level, text: message.text, key: (state.notice?.key ?? 0) + 1 } };
    case 'prefill':
      return {
        ...state,
        historyOpen: false,
        input: { text: message.text, attachments: message.attachments, kind: 'prefill', focus: message.focus, key: state.input.key + 1 },
      };
    case 'showHistory':
      return { ...state, historyOpen: true };
    case 'showTurn':
      return { ...state, historyOpen: false, shownTurn: { turnId: message.turnId, key: (state.shownTurn?.key ?? 0) + 1 } };
    case 'local/history':
      return { ...state, historyOpen: message.open };
    case 'local/decided':
      return { ...state, turns: state.turns.map((turn) => markDecided(turn, message.approvalId)) };
    case 'local/dismissNotice': {
      const { notice: _, ...rest } = state;
      return rest;
    }
  }
}

function changeTurn(state: ChatViewState, turnId: string, change: (turn: TurnView) => TurnView): ChatViewState {
  const index = state.turns.findIndex(({ id }) => id === turnId);
  if (index < 0) return state;
  const turns = [...state.turns];
  turns[index] = change(turns[index] as TurnView);
  return { ...state, turns };
}
