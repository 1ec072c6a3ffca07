import type { JSX } from 'preact';
import { useMemo, useRef, useState } from 'preact/hooks';
import { Icon, type IconName } from '../../shared/icons.js';
import { useSend } from '../context.js';
import { type CodeNode, highlight } from './highlight.js';
import { parseLocation } from './links.js';

interface CodeBlockProps { readonly code: string; readonly info: string; readonly open: boolean }

/** Beyond this a block that still grows is coloured only up to here, so that a long file costs no more per token than a short one. */
const growingLimit = 6000;

export function CodeBlock({ code, info, open }: CodeBlockProps): JSX.Element {
  const send = useSend();
  const [language = '', ...rest] = info.trim().split(/[\s:{]+/);
  const path = pathOf(info);
  const coloured = open && code.length > growingLimit ? code.lastIndexOf('\n', growingLimit) + 1 : code.length;
  const head = code.slice(0, coloured);
  const nodes = useMemo(() => highlight(head, language), [head, language]);
  const label = path ?? (language || (rest.length > 0 ? rest.join(' ') : 'text'));
  return (
    <figure class="code-block" aria-label={`Code, ${label}`}>
      <figcaption>
        <span class="code-language">{label}</span>
        {open ? <span class="code-writing">writing…</span> : (
          <span class="code-actions">
            <CodeAction icon="copy" label="Copy" done="Copied" onUse={() => send({ type: 'copy', text: code })} />
            <CodeAction icon="insert" label="Insert at cursor" done="Inserted" onUse={() => send({ type: 'insertCode', code })} />
            <CodeAction icon="apply" label="Apply as an edit" done="Sent" onUse={() => send({ type: 'applyCode', code, language, ...(path === undefined ? {} : { path }) })} />
          </span>
        )}
      </figcaption>
      <pre tabIndex={0}><code>{nodes.map(drawNode)}{code.slice(coloured)}</code></pre>
    </figure>
  );
}

/** The path some models write after the language: "ts src/a.ts", "ts:src/a.ts", `ts title="src/a.ts"`. */
function pathOf(info: string): string | undefined {
  const word = /(?:^|[\s:="'])((?:[\w@.+-]+\/)*[\w@.+-]+\.\w{1,10})(?:["'\s]|$)/.exec(info)?.[1];
  return word === undefined ? undefined : parseLocation(word)?.path;
}

function drawNode(node: CodeNode, index: number): JSX.Element | string {
  return typeof node === 'string' ? node : <span key={index} class={node.className}>{node.children.map(drawNode)}</span>;
}

interface CodeActionProps { readonly icon: IconName; readonly label: string; readonly done: string; readonly onUse: () => void }

function CodeAction({ icon, label, done, onUse }: CodeActionProps): JSX.Element {
  const [used, setUsed] = useState(false);
  const timer = useRef<number>(undefined);
  const use = (): void => {
    onUse();
    setUsed(true);
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setUsed(false), 1500);
  };
  return (
    <button type="button" class="icon-button" title={used ? done : label} aria-label={used ? done : label} onClick={use}>
      <Icon name={used ? 'check' : icon} />
    </button>
  );
}
