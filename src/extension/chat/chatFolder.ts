import type { FolderBadge } from '../../protocol/views.js';
import type { OpenFolder } from '../workspace/folderChoice.js';

/** What the chat needs to know of the window's folders. */
export interface ChatFolders {
  readonly all: readonly OpenFolder[];
  /** Where a new chat works. */
  readonly current: OpenFolder | undefined;
  find(uri: string | undefined): OpenFolder | undefined;
}

/** The folder that a chat works in, to be shown: only where there is something to tell apart, or it is not open any more. */
export function folderBadge(own: string | undefined, folders: ChatFolders): FolderBadge | null {
  const folder = own === undefined ? folders.current : folders.find(own);
  if (folder) return folders.all.length > 1 ? { name: folder.name, open: true } : null;
  return own === undefined ? null : { name: decodeURIComponent(own.split('/').at(-1) ?? own), open: false };
}
