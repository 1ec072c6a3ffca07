import { useEffect, useRef, useState } from 'preact/hooks';
import { useSend } from '../context.js';
import type { ChatViewState } from '../model/chatState.js';
import { type Mention, mentionAt, type Suggestion, suggestionsFor } from '../model/mentions.js';

interface Mentions {
  readonly mention: Mention | undefined;
  readonly suggestions: readonly Suggestion[];
  readonly active: number;
  readonly setActive: (index: number) => void;
  /** Looks for a mention at the caret. */
  readonly update: (text: string, caret: number) => void;
  readonly close: () => void;
  /** Asks the host for the selection; the answer comes as an attachment. */
  readonly requestSelection: () => void;
}

const searchDelayMs = 80;

/** The list that `@` opens: asks the host for files as the word grows, and shows only the answer to the last question. */
export function useMentions(files: ChatViewState['files'], selection: ChatViewState['selection'], onSelection: (selection: ChatViewState['selection']) => void): Mentions {
  const send = useSend();
  const [mention, setMention] = useState<Mention>();
  const [active, setActive] = useState(0);
  const [found, setFound] = useState<readonly string[]>([]);
  const searchRequest = useRef(0);
  const selectionRequest = useRef(0);
  const query = mention?.query;

  useEffect(() => {
    if (query === undefined) return undefined;
    const timer = window.setTimeout(() => {
      searchRequest.current = Date.now();
      send({ type: 'searchFiles', query, request: searchRequest.current });
    }, searchDelayMs);
    return () => window.clearTimeout(timer);
  }, [query, send]);

  useEffect(() => {
    if (files.request === searchRequest.current && files.request !== 0) setFound(files.paths);
  }, [files]);

  useEffect(() => {
    if (selection.request !== selectionRequest.current || selection.request === 0) return;
    selectionRequest.current = 0;
    onSelection(selection);
  }, [selection, onSelection]);

  const suggestions = mention ? suggestionsFor(mention.query, found) : [];
  return {
    mention, suggestions,
    active: Math.min(active, Math.max(0, suggestions.length - 1)),
    setActive,
    update: (text, caret) => {
      const next = mentionAt(text, caret);
      if (next?.query !== mention?.query) setActive(0);
      setMention(next);
    },
    close: () => {
      setMention(undefined);
      setFound([]);
    },
    requestSelection: () => {
      selectionRequest.current = Date.now();
      send({ type: 'currentSelection', request: selectionRequest.current });
    },
  };
}
