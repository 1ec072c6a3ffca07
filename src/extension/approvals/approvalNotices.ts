import * as vscode from 'vscode';
import type { Disposable } from '../../base/disposable.js';
import type { PendingApprovals } from './pendingApprovals.js';

/**
 * Tells a user who does not look at the chat that something waits for them. The decision itself is taken where the whole
 * command or the whole edit can be read, never in a notification.
 */
export function approvalNotices(approvals: PendingApprovals, isChatVisible: () => boolean, showChat: () => Promise<void>): Disposable {
  return approvals.onDidChange(({ approval, state }) => {
    if (state !== 'requested') return;
    if (approval.kind === 'edit') {
      if (approval.warning !== undefined) void vscode.window.showWarningMessage(`${approval.edit.path}: ${approval.warning}`);
      return;
    }
    if (isChatVisible()) return;
    const show = 'Show';
    void vscode.window.showInformationMessage(approval.kind === 'tool' ? 'Loupe asks to call a tool of an MCP server.' : 'Loupe asks to run a command.', show).then((chosen) => (chosen === show ? showChat() : undefined));
  });
}
