import type { RefObject } from 'preact';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

interface AutoScroll {
  readonly scroller: RefObject<HTMLDivElement | null>;
  readonly content: RefObject<HTMLDivElement | null>;
  /** The end is in view and stays there while text arrives. */
  readonly atEnd: boolean;
  readonly toEnd: () => void;
  /** Brings a part of the content into view, and stays there. */
  readonly toElement: (element: Element, block: ScrollLogicalPosition) => void;
}

/** Pixels from the end within which the view follows it. */
const nearEnd = 32;

/** Keeps the end in view until the user scrolls up, and again once they come back. `enabled`: there is something whose end is new. */
export function useAutoScroll(enabled: boolean): AutoScroll {
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  const on = useRef(enabled);
  on.current = enabled;
  const [atEnd, setAtEnd] = useState(true);

  const toEnd = useCallback(() => {
    following.current = true;
    setAtEnd(true);
    if (scroller.current) scroller.current.scrollTop = scroller.current.scrollHeight;
  }, []);

  const toElement = useCallback((element: Element, block: ScrollLogicalPosition) => {
    following.current = false;
    element.scrollIntoView({ block });
  }, []);

  useEffect(() => {
    const element = scroller.current;
    if (!element) return undefined;
    let last = element.scrollTop;
    const onScroll = (): void => {
      const rest = element.scrollHeight - element.scrollTop - element.clientHeight;
      // Content that shrinks moves the position without the user: only a move upwards away from the end stops following.
      if (rest < nearEnd) following.current = true;
      else if (element.scrollTop < last) following.current = false;
      last = element.scrollTop;
      setAtEnd(following.current);
    };
    element.addEventListener('scroll', onScroll, { passive: true });
    return () => element.removeEventListener('scroll', onScroll);
  }, []);

  useLayoutEffect(() => {
    const inner = content.current;
    const outer = scroller.current;
    if (!inner || !outer) return undefined;
    const follow = (): void => {
      if (on.current && following.current) outer.scrollTop = outer.scrollHeight;
    };
    const observer = new ResizeObserver(follow);
    observer.observe(inner);
    observer.observe(outer);
    return () => observer.disconnect();
  }, []);

  return { scroller, content, atEnd, toEnd, toElement };
}
