import * as vscode from 'vscode';
import type { ChatController } from '../chat/chatController.js';
import type { FolderChoice } from '../workspace/folderChoice.js';

interface Item extends vscode.QuickPickItem { readonly folder: string | undefined }

/** Asks which of the open folders Loupe works in. A chat stays in the folder that it began in: another one begins a new chat. */
export async function chooseFolder(folders: FolderChoice, controller: Pick<ChatController, 'isRunning' | 'notice' | 'useFolder'>): Promise<void> {
  if (folders.all.length < 2) {
    void vscode.window.showInformationMessage('Only one folder is open, and Loupe works in it.');
    return;
  }
  const { chosen } = folders;
  const mark = (is: boolean, icon: string): string => (is ? '$(check)' : icon);
  const items: readonly Item[] = [
    { label: `${mark(!chosen, '$(eye)')} The folder of the active editor`, description: chosen ? '' : folders.current?.name ?? '', folder: undefined },
    ...folders.all.map(({ uri, name }): Item => ({
      label: `${mark(chosen?.uri === uri, '$(folder)')} ${name}`, description: vscode.Uri.parse(uri, true).fsPath, folder: uri,
    })),
  ];
  const picked = await vscode.window.showQuickPick(items, {
    title: 'Choose the Folder That Loupe Works In', placeHolder: 'A chat stays in its folder; for another one, a new chat begins.', matchOnDescription: true,
  });
  if (!picked) return;
  await folders.choose(picked.folder);
  const next = folders.current;
  if (!next) return;
  if (controller.isRunning) controller.notice('info', `The running question stays in its folder. New chats work in ${next.name}.`);
  else await controller.useFolder(next.uri);
}
