import * as vscode from 'vscode';
import { revealHidden } from '../../base/hiddenText.js';
import type { Grant, SessionGrants } from '../../agent/sessionGrants.js';

interface Item extends vscode.QuickPickItem { readonly grant: Grant }

/** Lists what the user allowed for this session, and takes back what they choose. */
export async function sessionApprovals(grants: SessionGrants): Promise<void> {
  if (grants.all.length === 0) {
    void vscode.window.showInformationMessage('Nothing is allowed for this session: Loupe asks before each edit and each command.');
    return;
  }
  const items = grants.all.map((grant): Item => {
    const files = Object.keys(grant.files ?? {});
    const detail = files.length === 0 ? {} : { detail: `While ${revealHidden(files.slice(0, 3).join(', ')).text}${files.length > 3 ? ` and ${files.length - 3} more` : ''} ${files.length === 1 ? 'stays' : 'stay'} unchanged` };
    return { label: labelOf(grant), description: vscode.Uri.parse(grant.folder, true).fsPath, ...detail, grant };
  });
  const picked = await vscode.window.showQuickPick(items, {
    title: 'Allowed in This Session', placeHolder: 'Choose what to take back. Everything ends when this window closes.', canPickMany: true, matchOnDescription: true,
  });
  for (const { grant } of picked ?? []) grants.revoke(grant);
}

function labelOf({ class: toolClass, command, tool }: Grant): string {
  if (tool !== undefined) return `$(plug) ${revealHidden(tool.label.replace(/\s+/g, ' ')).text}`;
  if (command !== undefined) return `$(terminal) ${revealHidden(command.replace(/\s+/g, ' ')).text}`;
  return toolClass === 'write' ? '$(edit) All edits, except of protected files' : '$(terminal) All plain commands in the sandbox';
}
