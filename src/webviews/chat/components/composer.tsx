import type { JSX } from 'preact';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Attachment } from '../../../protocol/conversation.js';
import { Icon } from '../../shared/icons.js';
import { VisibleText } from '../../shared/visibleTextView.js';
import { useSend } from '../context.js';
import type { ChatViewState } from '../model/chatState.js';
import { attachmentLabel, attachmentsAfterEdit, completeMention, sameAttachment, type Suggestion } from '../model/mentions.js';
import { FolderPill } from './folderPill.js';
import { Gauge } from './gauge.js';
import { optionId, SuggestionList } from './suggestionList.js';
import { useDraft } from './useDraft.js';
import { useMentions } from './useMentions.js';
import { useTypingAhead } from './useTypingAhead.js';

interface ComposerProps {
  readonly state: ChatViewState;
  /** Why nothing can be asked now; undefined when it can. */
  readonly blocked: string | undefined;
  readonly onAsk: () => void;
}

const listId = 'attach-list';

export function Composer({ state, blocked, onAsk }: ComposerProps): JSX.Element {
  const send = useSend();
  const [text, setText] = useState('');
  const [attachments, setAttachments] = useState<readonly Attachment[]>([]);
  const [hint, setHint] = useState('');
  const [recalled, setRecalled] = useState(0);
  const [focused, setFocused] = useState(false);
  const area = useRef<HTMLTextAreaElement>(null);
  const caret = useRef<number>(undefined);
  const running = state.running !== null;

  const attach = useCallback((attachment: Attachment) => {
    const { text: _, ...reference } = attachment; // the host reads the text when the turn starts
    setAttachments((old) => (old.some((other) => sameAttachment(other, reference)) ? old : [...old, reference]));
  }, []);
  const attachSelection = useCallback(({ selection, elsewhere }: ChatViewState['selection']) => {
    if (selection) attach(selection);
    else setHint(elsewhere === undefined ? 'Nothing is selected in the editor.' : `The selection is in ${elsewhere}, another folder than that of this chat.`);
  }, [attach]);
  const mentions = useMentions(state.files, state.selection, attachSelection);
  useDraft(text, attachments);
  useTypingAhead(text, attachments, focused);
  useHostInput(state, text, (input) => {
    setText(input.text);
    setAttachments(input.attachments);
    caret.current = input.text.length;
    if (input.focus) area.current?.focus();
  });

  useLayoutEffect(() => {
    const element = area.current;
    if (!element) return;
    element.style.height = 'auto';
    element.style.height = `${element.scrollHeight + 2}px`;
    if (caret.current !== undefined) element.setSelectionRange(caret.current, caret.current);
    caret.current = undefined;
  }, [text]);

  const ask = (): void => {
    const question = text.trim();
    if (question === '') return;
    if (running || blocked !== undefined) {
      setHint(running ? 'Loupe is still answering; Escape stops it.' : blocked ?? '');
      return;
    }
    send({ type: 'ask', text: question, attachments: [...attachments] });
    setText('');
    setAttachments([]);
    setHint('');
    setRecalled(0);
    mentions.close();
    onAsk();
  };

  const choose = (suggestion: Suggestion): void => {
    if (!mentions.mention) return;
    const attachment: Attachment = { kind: suggestion.kind, path: suggestion.kind === 'file' ? suggestion.path : '' };
    const next = completeMention(text, mentions.mention, suggestion.kind === 'selection' ? '@selection' : attachmentLabel(attachment));
    caret.current = next.caret;
    setText(next.text);
    mentions.close();
    if (suggestion.kind === 'selection') mentions.requestSelection();
    else attach(attachment);
    area.current?.focus();
  };

  const recall = (step: number): boolean => {
    const questions = state.turns.map(({ question }) => question);
    const next = recalled + step;
    if (next < 0 || next > questions.length || questions.length === 0) return false;
    const question = next === 0 ? '' : questions[questions.length - next] ?? '';
    caret.current = question.length;
    setText(question);
    setRecalled(next);
    return true;
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.isComposing) return; // Enter ends an input method's word, not the question
    const { active, suggestions } = mentions;
    const chosen = suggestions[active];
    const plain = !event.shiftKey && !event.ctrlKey && !event.metaKey && !event.altKey;
    let handled = true;
    if (mentions.mention && event.key === 'ArrowDown') mentions.setActive((active + 1) % Math.max(1, suggestions.length));
    else if (mentions.mention && event.key === 'ArrowUp') mentions.setActive((active + suggestions.length - 1) % Math.max(1, suggestions.length));
    else if (mentions.mention && chosen && plain && (event.key === 'Enter' || event.key === 'Tab')) choose(chosen);
    else if (mentions.mention && event.key === 'Escape') mentions.close();
    else if (event.key === 'Enter' && !event.shiftKey) ask();
    else if (event.key === 'ArrowUp' && plain && (text === '' || recalled > 0)) handled = recall(1);
    else if (event.key === 'ArrowDown' && plain && recalled > 0) handled = recall(-1);
    else if (event.key === 'Backspace' && text === '' && attachments.length > 0) setAttachments(attachments.slice(0, -1));
    else handled = false;
    if (!handled) return;
    event.preventDefault();
    event.stopPropagation();
  };

  const openList = (): void => {
    const element = area.current;
    if (!element) return;
    const at = element.selectionStart;
    const inserted = at === 0 || /\s$/.test(text.slice(0, at)) ? '@' : ' @';
    const next = text.slice(0, at) + inserted + text.slice(at);
    caret.current = at + inserted.length;
    setText(next);
    mentions.update(next, at + inserted.length);
    element.focus();
  };

  const open = mentions.mention !== undefined;
  return (
    <div class="composer" role="form" aria-label="Ask">
      {open && <SuggestionList id={listId} suggestions={mentions.suggestions} active={mentions.active} onChoose={choose} />}
      <div class="input-box">
        {attachments.length > 0 && <AttachmentChips attachments={attachments} onRemove={(gone) => { setAttachments(attachments.filter((attachment) => attachment !== gone)); area.current?.focus(); }} />}
        <textarea
          ref={area} rows={2} value={text} placeholder="Ask about this repository, or give it a task" aria-label="Question"
          aria-autocomplete="list" aria-haspopup="listbox"
          {...(open ? { 'aria-controls': listId } : {})}
          {...(open && mentions.suggestions.length > 0 ? { 'aria-activedescendant': optionId(listId, mentions.active) } : {})}
          onInput={(event) => {
            const { value, selectionStart } = event.currentTarget;
            setText(value);
            setAttachments(attachmentsAfterEdit(attachments, text, value));
            setHint('');
            setRecalled(0);
            mentions.update(value, selectionStart);
          }}
          onKeyDown={onKeyDown} onFocus={() => setFocused(true)}
          onBlur={() => {
            setFocused(false);
            mentions.close();
          }}
        />
      </div>
      <div class="composer-row">
        <button type="button" class="icon-button labelled" title="Attach a file, the selection, problems or changes" onMouseDown={(event) => event.preventDefault()} onClick={openList}><Icon name="at" /><span class="wide-only">attach</span></button>
        {state.folder && <FolderPill folder={state.folder} />}
        <span class="spacer" />
        <Gauge context={state.context} />
        {running
          ? <button type="button" class="icon-button send" title="Stop (Escape)" aria-label="Stop" onClick={() => send({ type: 'stop' })}><Icon name="stop" /></button>
          : <button type="button" class="icon-button send" title={blocked ?? 'Ask (Enter)'} aria-label="Ask" disabled={text.trim() === '' || blocked !== undefined} onClick={ask}><Icon name="send" /></button>}
      </div>
      <div class="composer-hint" role="status">{hint}</div>
    </div>
  );
}

function AttachmentChips({ attachments, onRemove }: { readonly attachments: readonly Attachment[]; readonly onRemove: (attachment: Attachment) => void }): JSX.Element {
  return (
    <ul class="chips" aria-label="Attached">
      {attachments.map((attachment, index) => (
        <li key={index} class="chip" title={attachment.path}>
          <VisibleText text={attachmentLabel(attachment)} />
          <button type="button" class="chip-remove" aria-label={`Remove ${attachmentLabel(attachment)}`} onClick={() => onRemove(attachment)}><Icon name="close" size={10} /></button>
        </li>
      ))}
    </ul>
  );
}

/** Takes what the host wants in the input: always a question that a command prepared, a stored draft only where it replaces nothing that is typed. */
function useHostInput(state: ChatViewState, text: string, apply: (input: ChatViewState['input']) => void): void {
  const applied = useRef({ key: 0, conversation: '' });
  useEffect(() => {
    const { input, conversationId } = state;
    if (input.key === applied.current.key) return;
    const otherConversation = conversationId !== applied.current.conversation;
    applied.current = { key: input.key, conversation: conversationId };
    const hasDraft = input.text !== '' || input.attachments.length > 0;
    if (input.kind === 'prefill' || (hasDraft && (text === '' || otherConversation))) apply(input);
  });
}
