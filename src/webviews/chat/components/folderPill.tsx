import type { JSX } from 'preact';
import type { FolderBadge } from '../../../protocol/views.js';
import { Icon } from '../../shared/icons.js';
import { useSend } from '../context.js';

/** Where the question goes, beside the question: shown only when several folders are open. */
export function FolderPill({ folder: { name, open } }: { readonly folder: FolderBadge }): JSX.Element {
  const send = useSend();
  const where = open ? `This chat works in the folder ${name}.` : `This chat worked in the folder ${name}, which is not open any more.`;
  return (
    <button type="button" class={`pill folder-pill ${open ? '' : 'failed'}`} title={`${where}\nChoose another folder`} aria-label={`${where} Choose another folder`} onClick={() => send({ type: 'chooseFolder' })}>
      <Icon name="folder" size={12} /><span class="ellipsis">{name}</span>
    </button>
  );
}
