import type { ComponentChildren, JSX } from 'preact';
import type { ChatToHost } from '../../../protocol/views.js';
import { useSend } from '../context.js';
import type { LinkTarget } from './links.js';

interface LinkProps { readonly target: LinkTarget; readonly destination?: string; readonly children?: ComponentChildren }

/**
 * A link without `href`: VS Code and the browser act on addresses by themselves, and this page leaves that to the host. The
 * tooltip says where it goes, because the text of a link may say anything.
 */
export function Link({ target, destination, children }: LinkProps): JSX.Element {
  const send = useSend();
  if (target.kind === 'dead') {
    return <span class="dead-link" title={`Not a link that Loupe opens: ${(destination ?? '').slice(0, 200)}`}>{children}</span>;
  }
  const message: ChatToHost = target.kind === 'external'
    ? { type: 'openExternal', url: target.url }
    : { type: 'openLocation', path: target.path, ...(target.line === undefined ? {} : { line: target.line }) };
  const title = target.kind === 'external' ? target.url : `Open ${target.path}${target.line === undefined ? '' : `, line ${target.line}`}`;
  const open = (event: Event): void => {
    event.preventDefault();
    send(message);
  };
  return (
    <a role="link" tabIndex={0} title={title} onClick={open} onKeyDown={(event) => { if (event.key === 'Enter') open(event); }}>{children}</a>
  );
}
