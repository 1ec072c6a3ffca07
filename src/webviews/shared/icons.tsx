import type { JSX } from 'preact';

/** Loupe's own line icons, 16 by 16, drawn for this project; they take the colour of the text around them. */
const paths = {
  add: 'M8 3v10M3 8h10',
  history: 'M2.6 8a5.4 5.4 0 1 0 1.7-3.9M4.3 1.8v2.5h2.5M8 5v3.2l2.2 1.4',
  send: 'M2.5 13.5 14 8 2.5 2.5l1.6 5.5-1.6 5.5ZM4.1 8H8',
  stop: 'M4 4h8v8H4z',
  copy: 'M5.5 5.5h7v8h-7zM10.5 5.5v-3h-7v8h2',
  check: 'm3 8.5 3.2 3.2L13 4.5',
  close: 'm4 4 8 8m0-8-8 8',
  insert: 'M2.5 4h11M2.5 12h11M8 5.5v5M5.8 8.4 8 10.6l2.2-2.2',
  apply: 'M9.5 2.5h-6v11h9v-8zM9.5 2.5v3h3M5.8 9.8l1.6 1.6 3-3.2',
  chevron: 'm6 3.5 4.5 4.5L6 12.5',
  down: 'M8 3v9m-4-4 4 4 4-4',
  folder: 'M2 4.5a1 1 0 0 1 1-1h3.2l1.6 1.8H13a1 1 0 0 1 1 1v5.2a1 1 0 0 1-1 1H3a1 1 0 0 1-1-1z',
  file: 'M9.5 2h-6v12h9V5zM9.5 2v3h3',
  selection: 'M5 2H3a1 1 0 0 0-1 1v2m9-3h2a1 1 0 0 1 1 1v2M5 14H3a1 1 0 0 1-1-1v-2m9 3h2a1 1 0 0 0 1-1v-2M5.5 6.5h5m-5 3h3',
  warning: 'M8 2.2 14.5 13.5h-13zM8 6.5v3.2m0 1.6v.6',
  changes: 'M4.5 2v7a2.5 2.5 0 0 0 2.5 2.5h4.5M9 9l2.5 2.5L9 14M4.5 4.5h7',
  trash: 'M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.6 9h5.8l.6-9M6.8 7v4m2.4-4v4',
  retry: 'M13.4 8a5.4 5.4 0 1 1-1.7-3.9M11.7 1.8v2.5H9.2',
  continue: 'M3.5 3.5v9L9 8zM11.5 3.5v9',
  trace: 'M2 4h5M4.5 8h6M8 12h6',
  terminal: 'm3 4 4 4-4 4M8.5 12h4.5',
  shield: 'M8 1.8 13 4v3.8c0 3-2 5.2-5 6.4-3-1.2-5-3.4-5-6.4V4z',
  search: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM10.3 10.3l3.5 3.5',
  export: 'M8 10V2m-3 3 3-3 3 3M3 9.5v4h10v-4',
  external: 'M9.5 2.5h4v4M13.5 2.5 8 8M11.5 9v4.5h-9v-9H7',
  at: 'M10.5 8a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0Zm0 0v1a1.6 1.6 0 0 0 3.2 0V8A5.7 5.7 0 1 0 11 12.8',
  loupe: 'M6.8 2.2a4.6 4.6 0 1 0 0 9.2 4.6 4.6 0 0 0 0-9.2ZM10.2 10.2l3.8 3.8M4.2 6.8h1.3l.9-2 1 3.8.8-1.8h1.2',
} as const;

export type IconName = keyof typeof paths;

/** Decorative: the label belongs to the control that holds it. */
export function Icon({ name, size = 16 }: { readonly name: IconName; readonly size?: number }): JSX.Element {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}
