import type { JSX } from 'preact';
import { type TextPart, visibleParts } from './visibleText.js';

/** Text of others (paths, diffs, commands) with what would be invisible made visible. */
export function VisibleText({ text, parts = visibleParts(text) }: { readonly text: string; readonly parts?: readonly TextPart[] }): JSX.Element {
  return (
    <>
      {parts.map((part, index) =>
        part.hidden === undefined ? part.text : <mark key={index} class="hidden-character" title={part.hidden} aria-label={part.hidden}>{part.text}</mark>,
      )}
    </>
  );
}
