import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Icon, type IconName } from '../../shared/icons.js';
import { VisibleText } from '../../shared/visibleTextView.js';
import { descriptionOf, type Suggestion } from '../model/mentions.js';

interface SuggestionListProps {
  readonly id: string;
  readonly suggestions: readonly Suggestion[];
  readonly active: number;
  readonly onChoose: (suggestion: Suggestion) => void;
}

export const optionId = (list: string, index: number): string => `${list}-${index}`;

const icons: Readonly<Record<Suggestion['kind'], IconName>> = { file: 'file', selection: 'selection', problems: 'warning', changes: 'changes' };

/** The focus stays in the input; the active option is named by its `aria-activedescendant`. */
export function SuggestionList({ id, suggestions, active, onChoose }: SuggestionListProps): JSX.Element {
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => list.current?.children[active]?.scrollIntoView({ block: 'nearest' }), [active]);
  return (
    <ul ref={list} id={id} class="suggestion-list" role="listbox" aria-label="Attach to the question">
      {suggestions.map((suggestion, index) => (
        <li
          key={suggestion.kind === 'file' ? suggestion.path : suggestion.kind} id={optionId(id, index)} role="option" aria-selected={index === active}
          onMouseDown={(event) => { event.preventDefault(); onChoose(suggestion); }}
        >
          <Icon name={icons[suggestion.kind]} size={14} />
          {suggestion.kind === 'file' ? <FileName path={suggestion.path} /> : <><span>{suggestion.kind}</span><span class="dim ellipsis">{descriptionOf(suggestion.kind)}</span></>}
        </li>
      ))}
      {suggestions.length === 0 && <li class="dim" role="option" aria-selected={false} aria-disabled="true">No file has that name.</li>}
    </ul>
  );
}

function FileName({ path }: { readonly path: string }): JSX.Element {
  const slash = path.lastIndexOf('/');
  return (
    <>
      <span class="file-name"><VisibleText text={path.slice(slash + 1)} /></span>
      <span class="dim ellipsis file-folder">{slash > 0 && <bdi><VisibleText text={path.slice(0, slash)} /></bdi>}</span>
    </>
  );
}
