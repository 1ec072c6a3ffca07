import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ConversationSummary } from '../../../protocol/conversation.js';
import { formatAgo, plural } from '../../shared/format.js';
import { Icon } from '../../shared/icons.js';
import { useSend } from '../context.js';

interface HistoryProps { readonly history: readonly ConversationSummary[]; readonly current: string; readonly onClose: () => void }

export function HistoryList({ history, current, onClose }: HistoryProps): JSX.Element {
  const send = useSend();
  const filter = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const [query, setQuery] = useState('');
  useEffect(() => filter.current?.focus(), []);
  const shown = history.filter(({ title }) => title.toLowerCase().includes(query.toLowerCase()));

  const move = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') {
      event.preventDefault();
      onClose();
      return;
    }
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const entries = [...(list.current?.querySelectorAll<HTMLButtonElement>('.history-open') ?? [])];
    const at = entries.findIndex((entry) => entry === document.activeElement);
    if (at + step < 0) filter.current?.focus();
    else entries[Math.min(entries.length - 1, at + step)]?.focus();
  };

  return (
    <section id="history" class="history" aria-label="Chat history" onKeyDown={move}>
      <div class="history-head">
        <input ref={filter} type="text" class="text-input" placeholder="Filter chats" aria-label="Filter chats" value={query} onInput={(event) => setQuery(event.currentTarget.value)} />
        <button type="button" class="icon-button" title="New chat" aria-label="New chat" onClick={() => { send({ type: 'newChat' }); onClose(); }}><Icon name="add" /></button>
        <button type="button" class="icon-button" title="Close history" aria-label="Close history" onClick={onClose}><Icon name="close" /></button>
      </div>
      {shown.length === 0 && <p class="dim history-empty">{history.length === 0 ? 'Chats are listed here once you have asked something.' : 'No chat has that title.'}</p>}
      <ul ref={list}>
        {shown.map(({ id, title, updatedAt, turns }) => (
          <li key={id} class={id === current ? 'current' : ''}>
            <button type="button" class="history-open" aria-current={id === current} onClick={() => { send({ type: 'openConversation', id }); onClose(); }}>
              <span class="ellipsis">{title || 'Untitled'}</span>
              <span class="dim">{formatAgo(updatedAt, Date.now())} · {plural(turns, 'question')}</span>
            </button>
            <button type="button" class="icon-button" title="Delete chat" aria-label={`Delete chat ${title}`} onClick={() => send({ type: 'deleteConversation', id })}><Icon name="trash" /></button>
          </li>
        ))}
      </ul>
    </section>
  );
}
