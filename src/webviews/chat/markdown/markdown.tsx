import type { JSX } from 'preact';
import { useMemo, useRef } from 'preact/hooks';
import { type Block, GrowingMarkdown } from './blocks.js';
import { drawTokens } from './tokens.js';

/** An answer. While it grows only its last block is parsed and drawn again. */
export function Markdown({ text, finished }: { readonly text: string; readonly finished: boolean }): JSX.Element {
  const growing = useRef<GrowingMarkdown>(undefined);
  growing.current ??= new GrowingMarkdown();
  const blocks = growing.current.update(text, finished);
  return <div class="markdown">{blocks.map((block, index) => <BlockView key={index} block={block} />)}</div>;
}

/** Preact skips a subtree whose element is the very same: a block that did not change costs nothing. */
function BlockView({ block }: { readonly block: Block }): JSX.Element {
  return useMemo(() => <>{drawTokens(block.tokens, block.open)}</>, [block]);
}
