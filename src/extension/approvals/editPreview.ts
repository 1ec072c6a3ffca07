import * as vscode from 'vscode';
import { type Disposable, DisposableStore } from '../../base/disposable.js';
import { contextKeys } from '../../protocol/commands.js';
import type { Approval } from '../../protocol/agentEvents.js';
import type { PendingApprovals } from './pendingApprovals.js';
import { editScheme, parseEditPath, previewPath } from './previewPath.js';

type EditApproval = Extract<Approval, { kind: 'edit' }>;

/**
 * Shows an edit that waits for approval as a diff of two read-only documents, and closes it when it is decided. The
 * documents live only as long as the approval does.
 */
export class EditPreview implements Disposable, vscode.TextDocumentContentProvider {
  private readonly disposables = new DisposableStore();

  constructor(private readonly approvals: PendingApprovals) {
    this.disposables.add(vscode.workspace.registerTextDocumentContentProvider(editScheme, this));
    this.disposables.add(approvals.onDidChange(({ approval, state }) => {
      if (approval.kind !== 'edit') return;
      void this.updateContext();
      if (state === 'requested') void this.open(approval.id, true);
      else void this.close(approval.id);
    }));
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    const shown = parseEditPath(uri.path);
    const approval = shown && this.approvals.get(shown.id);
    if (!shown || approval?.kind !== 'edit') return '';
    return shown.side === 'before' ? approval.edit.before : approval.edit.after;
  }

  /** Opens, or shows again, the diff of an approval that waits. What the user types elsewhere keeps the focus unless they asked. */
  async open(id: string, preserveFocus = false): Promise<void> {
    const approval = this.approvals.get(id);
    if (approval?.kind !== 'edit') return;
    const { edit } = approval;
    const title = edit.kind === 'create' ? `${edit.path} (new file proposed)` : `${edit.path} (edit proposed)`;
    await vscode.commands.executeCommand('vscode.diff', uriOf(approval, 'before'), uriOf(approval, 'after'), title, { preview: false, preserveFocus });
  }

  /** The approval whose diff the user looks at: of the given editor, else of the active tab. */
  activeId(resource?: vscode.Uri): string | undefined {
    const uri = resource?.scheme === editScheme ? resource : modifiedOf(vscode.window.tabGroups.activeTabGroup.activeTab);
    return uri && parseEditPath(uri.path)?.id;
  }

  dispose(): void {
    this.disposables.dispose();
  }

  private async close(id: string): Promise<void> {
    const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs).filter((tab) => {
      const uri = modifiedOf(tab);
      return uri !== undefined && parseEditPath(uri.path)?.id === id;
    });
    if (tabs.length > 0) await vscode.window.tabGroups.close(tabs, true);
  }

  private async updateContext(): Promise<void> {
    const pending = this.approvals.pending.some((a) => a.kind === 'edit');
    await vscode.commands.executeCommand('setContext', contextKeys.editPending, pending);
  }
}

const uriOf = (approval: EditApproval, side: 'before' | 'after'): vscode.Uri =>
  vscode.Uri.from({ scheme: editScheme, path: previewPath(side, approval.id, approval.edit.path) });

function modifiedOf(tab: vscode.Tab | undefined): vscode.Uri | undefined {
  const input = tab?.input;
  return input instanceof vscode.TabInputTextDiff && input.modified.scheme === editScheme ? input.modified : undefined;
}
