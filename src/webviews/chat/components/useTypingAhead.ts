import { useEffect, useRef } from 'preact/hooks';
import type { Attachment } from '../../../protocol/conversation.js';
import { useSend } from '../context.js';
import { wholeWords } from '../model/wholeWords.js';

/** A pause of this length is worth a message; between two words there is less. */
const pauseMs = 300;

/** Tells the host, while the input has the focus, which whole words are typed: at once when it gets the focus, then after each pause that follows a new word. */
export function useTypingAhead(text: string, attachments: readonly Attachment[], focused: boolean): void {
  const send = useSend();
  const told = useRef<{ readonly text: string; readonly attachments: readonly Attachment[] }>(undefined);
  const words = wholeWords(text);

  useEffect(() => {
    if (!focused) {
      if (told.current) send({ type: 'typing', typed: null });
      told.current = undefined;
      return undefined;
    }
    if (told.current?.text === words && told.current.attachments === attachments) return undefined;
    const timer = window.setTimeout(() => {
      told.current = { text: words, attachments };
      send({ type: 'typing', typed: { text: words, attachments: [...attachments] } });
    }, told.current ? pauseMs : 0);
    return () => window.clearTimeout(timer);
  }, [words, attachments, focused, send]);
}
