import { useEffect, useRef } from 'preact/hooks';
import type { Attachment } from '../../../protocol/conversation.js';
import { useSend } from '../context.js';

const delayMs = 250;

/** Keeps what is typed at the host: soon after each change, and at once when the view may go away. */
export function useDraft(text: string, attachments: readonly Attachment[]): void {
  const send = useSend();
  const saved = useRef({ text, attachments });
  const latest = useRef({ text, attachments });
  latest.current = { text, attachments };

  useEffect(() => {
    const flush = (): void => {
      const draft = latest.current;
      if (draft.text === saved.current.text && draft.attachments === saved.current.attachments) return;
      saved.current = draft;
      send({ type: 'draft', text: draft.text, attachments: [...draft.attachments] });
    };
    const timer = window.setTimeout(flush, text === '' ? 0 : delayMs);
    window.addEventListener('pagehide', flush);
    window.addEventListener('blur', flush);
    return () => {
      window.clearTimeout(timer);
      window.removeEventListener('pagehide', flush);
      window.removeEventListener('blur', flush);
    };
  }, [text, attachments, send]);
}
