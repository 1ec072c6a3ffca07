import type { JSX } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { Remember } from '../../protocol/agentEvents.js';
import { Icon } from '../shared/icons.js';
import { Composer } from './components/composer.js';
import { EmptyState, Obstacle } from './components/emptyState.js';
import { Header } from './components/header.js';
import { HistoryList } from './components/historyList.js';
import { TurnItem } from './components/turnItem.js';
import { useAutoScroll } from './components/useAutoScroll.js';
import { type Send, SendProvider } from './context.js';
import { announcement } from './model/announcements.js';
import type { ChatViewState } from './model/chatState.js';
import type { ChatStore } from './model/store.js';

export function App({ store, send }: { readonly store: ChatStore; readonly send: Send }): JSX.Element {
  const [state, setState] = useState(store.state);
  const [spoken, setSpoken] = useState('');
  const shown = useRef(state);
  const { scroller, content, atEnd, toEnd, toElement } = useAutoScroll(state.turns.length > 0);

  useEffect(() => {
    store.subscribe(() => {
      const text = announcement(shown.current, store.state);
      shown.current = store.state;
      setState(store.state);
      if (text !== undefined) setSpoken(text);
    });
  }, [store]);

  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape' || event.defaultPrevented || store.state.running === null) return;
      event.preventDefault();
      send({ type: 'stop' });
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, [store, send]);

  useEffect(() => {
    const turn = state.shownTurn && document.querySelector(`[data-turn="${CSS.escape(state.shownTurn.turnId)}"]`);
    const decision = turn?.querySelector<HTMLElement>('button[data-approval]');
    if (decision) toElement(decision.closest('.card') ?? decision, 'nearest');
    else if (turn) toElement(turn, 'start');
    decision?.focus({ preventScroll: true });
  }, [state.shownTurn, toElement]);

  const decide = useCallback((approvalId: string, decision: 'accepted' | 'rejected', remember?: Remember) => {
    if (!isPending(store.state, approvalId)) return;
    store.dispatch({ type: 'local/decided', approvalId });
    send({ type: 'decide', approvalId, decision, ...(remember === undefined ? {} : { remember }) });
    focusInput(); // the button that had the focus is gone
  }, [store, send]);

  const closeHistory = useCallback(() => {
    store.dispatch({ type: 'local/history', open: false });
    focusInput();
  }, [store]);

  return (
    <SendProvider value={send}>
      <div class="chat">
        <Header title={state.title} model={state.model} context={state.context} historyOpen={state.historyOpen}
          onHistory={() => store.dispatch({ type: 'local/history', open: !state.historyOpen })} />
        {state.historyOpen && <HistoryList history={state.history} current={state.conversationId} onClose={closeHistory} />}
        <main class="turns" ref={scroller} tabIndex={-1} aria-label="Conversation">
          <div class="turns-content" ref={content}>
            {state.loaded && state.turns.length === 0 && <EmptyState onSuggestion={(text) => {
              store.dispatch({ type: 'prefill', text, attachments: [], focus: true });
            }} />}
            {state.turns.map((turn, index) => (
              <TurnItem key={turn.id} turn={turn} running={state.running === turn.id} latest={index === state.turns.length - 1} onDecide={decide} />
            ))}
          </div>
        </main>
        <div class="bottom">
          {!atEnd && <button type="button" class="jump-to-end" title="Jump to the end" aria-label="Jump to the end" onClick={toEnd}><Icon name="down" /></button>}
          {state.notice && <Notice notice={state.notice} onDismiss={() => store.dispatch({ type: 'local/dismissNotice' })} />}
          {state.loaded && <Obstacle model={state.model} trusted={state.trusted} />}
          <Composer state={state} blocked={blockedBecause(state)} onAsk={toEnd} />
        </div>
        <div class="visually-hidden" role="log" aria-live="polite">{spoken}</div>
      </div>
    </SendProvider>
  );
}

function Notice({ notice, onDismiss }: { readonly notice: NonNullable<ChatViewState['notice']>; readonly onDismiss: () => void }): JSX.Element {
  return (
    <div class={`notice ${notice.level}`} role={notice.level === 'error' ? 'alert' : 'status'}>
      <span>{notice.text}</span>
      <button type="button" class="icon-button" title="Dismiss" aria-label="Dismiss" onClick={onDismiss}><Icon name="close" size={12} /></button>
    </div>
  );
}

function blockedBecause(state: ChatViewState): string | undefined {
  if (!state.loaded) return 'Loading';
  if (!state.trusted || state.model.state === 'untrusted') return 'This workspace is not trusted.';
  if (state.model.state === 'none') return 'Choose a model first.';
  return undefined;
}

function isPending(state: ChatViewState, approvalId: string): boolean {
  return state.turns.some(({ hops }) => hops.some(({ tools }) => tools.some(({ approval }) => approval?.approval.id === approvalId && approval.state === 'pending')));
}

function focusInput(): void {
  document.querySelector<HTMLTextAreaElement>('.composer textarea')?.focus();
}
