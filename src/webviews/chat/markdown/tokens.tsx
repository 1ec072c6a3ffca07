import { type ComponentChildren, h, type JSX } from 'preact';
import { CodeBlock } from './codeBlock.js';
import { Link } from './link.js';
import { codeReference, findReferences, linkTarget } from './links.js';
import type { Token } from './parser.js';

/** Elements that Markdown without HTML can make; a token with another tag is drawn as a plain `div`. */
const known = new Set(['p', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'ul', 'ol', 'li', 'blockquote', 'table', 'thead', 'tbody', 'tr', 'th', 'td', 'em', 'strong', 's']);

interface Drawing { readonly tokens: readonly Token[]; readonly open: boolean; readonly inLink: boolean }

/** Draws tokens as elements. Nothing of the text becomes markup: every attribute that is set is set here. */
export function drawTokens(tokens: readonly Token[], open: boolean, inLink = false): ComponentChildren[] {
  const drawing: Drawing = { tokens, open, inLink };
  const children: ComponentChildren[] = [];
  for (let index = 0; index < tokens.length; ) {
    const end = endOf(tokens, index);
    children.push(drawToken(drawing, index, end));
    index = end + 1;
  }
  return children;
}

/** Index of the token that closes the one at `index`; itself where it has no end. */
function endOf(tokens: readonly Token[], index: number): number {
  if (tokens[index]?.nesting !== 1) return index;
  for (let depth = 0, at = index; at < tokens.length; at++) {
    depth += tokens[at]?.nesting ?? 0;
    if (depth === 0) return at;
  }
  return tokens.length - 1;
}

function drawToken({ tokens, open, inLink }: Drawing, index: number, end: number): ComponentChildren {
  const token = tokens[index];
  if (!token) return null;
  const inner = (link = inLink): ComponentChildren[] => drawTokens(tokens.slice(index + 1, end), open, link);
  switch (token.type) {
    case 'inline':
      return drawTokens(token.children ?? [], open, inLink);
    case 'text':
      return drawText(token.content, inLink);
    case 'softbreak':
      return '\n';
    case 'hardbreak':
      return <br key={index} />;
    case 'hr':
      return <hr key={index} />;
    case 'code_inline': {
      const target = inLink ? undefined : codeReference(token.content);
      const code = <code key={index}>{token.content}</code>;
      return target ? <Link key={index} target={target}>{code}</Link> : code;
    }
    case 'fence':
    case 'code_block':
      return <CodeBlock key={index} code={token.content.replace(/\n$/, '')} info={token.info} open={open} />;
    case 'image': {
      const source = String(token.attrGet('src') ?? '');
      return <Link key={index} target={linkTarget(source)} destination={source}>{`image: ${token.content || source}`}</Link>;
    }
    case 'link_open': {
      const destination = String(token.attrGet('href') ?? '');
      return <Link key={index} target={linkTarget(destination)} destination={destination}>{inner(true)}</Link>;
    }
    case 'paragraph_open':
      return token.hidden ? inner() : <p key={index}>{inner()}</p>;
    case 'table_open':
      return <div key={index} class="table-scroll" tabIndex={0}><table>{inner()}</table></div>;
    case 'ordered_list_open':
      return <ol key={index} start={Number(token.attrGet('start') ?? 1)}>{inner()}</ol>;
    default:
      if (token.nesting === 1) return h(known.has(token.tag) ? token.tag : 'div', { key: index }, inner());
      return token.content;
  }
}

function drawText(text: string, inLink: boolean): ComponentChildren {
  if (inLink) return text;
  return findReferences(text).map(({ text: part, target }, index): JSX.Element | string =>
    target ? <Link key={index} target={target}>{part}</Link> : part);
}
