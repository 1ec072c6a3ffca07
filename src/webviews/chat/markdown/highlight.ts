import hljs from 'highlight.js/lib/core';
import type { LanguageFn } from 'highlight.js';
import bash from 'highlight.js/lib/languages/bash';
import c from 'highlight.js/lib/languages/c';
import cpp from 'highlight.js/lib/languages/cpp';
import csharp from 'highlight.js/lib/languages/csharp';
import css from 'highlight.js/lib/languages/css';
import diff from 'highlight.js/lib/languages/diff';
import dockerfile from 'highlight.js/lib/languages/dockerfile';
import go from 'highlight.js/lib/languages/go';
import ini from 'highlight.js/lib/languages/ini';
import java from 'highlight.js/lib/languages/java';
import javascript from 'highlight.js/lib/languages/javascript';
import json from 'highlight.js/lib/languages/json';
import kotlin from 'highlight.js/lib/languages/kotlin';
import markdown from 'highlight.js/lib/languages/markdown';
import php from 'highlight.js/lib/languages/php';
import python from 'highlight.js/lib/languages/python';
import ruby from 'highlight.js/lib/languages/ruby';
import rust from 'highlight.js/lib/languages/rust';
import sql from 'highlight.js/lib/languages/sql';
import swift from 'highlight.js/lib/languages/swift';
import typescript from 'highlight.js/lib/languages/typescript';
import xml from 'highlight.js/lib/languages/xml';
import yaml from 'highlight.js/lib/languages/yaml';

const languages: Readonly<Record<string, LanguageFn>> = {
  bash, c, cpp, csharp, css, diff, dockerfile, go, ini, java, javascript, json, kotlin, markdown, php, python, ruby, rust, sql, swift,
  typescript, xml, yaml,
};
for (const [name, definition] of Object.entries(languages)) hljs.registerLanguage(name, definition);

/** Plain text, or a span with a class of the highlighter. */
export type CodeNode = string | { readonly className: string; readonly children: readonly CodeNode[] };

/** Longer code is shown plain: colour is not worth a frame. */
const maxHighlighted = 100_000;

export function highlight(code: string, language: string): readonly CodeNode[] {
  const name = language.toLowerCase();
  if (code.length > maxHighlighted || !hljs.getLanguage(name)) return [code];
  return parseHighlighted(hljs.highlight(code, { language: name, ignoreIllegals: true }).value);
}

const entities: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#x27;': "'" };

/**
 * Reads the highlighter's markup into nodes, so that no HTML string is ever put into the page. Only its own two forms are
 * known, `<span class="...">` and `</span>`; everything else stays text.
 */
export function parseHighlighted(html: string): readonly CodeNode[] {
  const root: { className: string; children: CodeNode[] } = { className: '', children: [] };
  const open = [root];
  let text = '';
  const flush = (): void => {
    if (text !== '') open.at(-1)?.children.push(text);
    text = '';
  };
  for (const [piece] of html.matchAll(/<span class="[\w -]*">|<\/span>|&(?:amp|lt|gt|quot|#x27);|[^<&]+|[<&]/g)) {
    if (piece.startsWith('<span ')) {
      flush();
      const node = { className: piece.slice('<span class="'.length, -'">'.length), children: [] };
      open.at(-1)?.children.push(node);
      open.push(node);
    } else if (piece === '</span>' && open.length > 1) {
      flush();
      open.pop();
    } else text += entities[piece] ?? piece;
  }
  flush();
  return root.children;
}
