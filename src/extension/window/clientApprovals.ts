import * as vscode from 'vscode';
import type { ApprovalPort } from '../../agent/ports.js';
import { failure } from '../../base/errors.js';
import type { Approval, Decision } from '../../protocol/agentEvents.js';
import { clientName, inFull, shown } from './clientText.js';
import type { Dialogs } from './dialogs.js';

/**
 * Asks the user on behalf of another program. Edits wait in the same preview as the agent's; commands and tasks are shown whole in a dialog
 * that names who asks, since there is no chat that they would belong to.
 */
export class ClientApprovals implements ApprovalPort {
  private readonly name: string;

  constructor(client: string, private readonly edits: ApprovalPort, private readonly dialogs: Dialogs) {
    this.name = clientName(client);
  }

  async request(approval: Approval, signal: AbortSignal): Promise<Decision> {
    if (approval.kind === 'edit') {
      void vscode.window.showInformationMessage(`${this.name} proposes an edit of ${shown(approval.edit.path)}. Apply or reject it in the diff.`);
      return this.edits.request(approval, signal);
    }
    // Other programs are offered no tools of servers: each has its own.
    if (approval.kind === 'tool') throw failure('tool.refused', 'Tools of MCP servers are not offered to other programs.', 'Call the server directly.');
    const warning = approval.warning === undefined ? '' : `\n\n${shown(approval.warning)}`;
    return this.dialogs.ask(`${this.name} asks to run a command in ${approval.cwd}`, `${inFull(approval.command)}${warning}`, signal);
  }

  /** `detail`: what the task runs. */
  requestTask(name: string, detail: string, signal: AbortSignal): Promise<Decision> {
    return this.dialogs.ask(`${this.name} asks to run the task ${clientName(name)}`, inFull(detail), signal);
  }
}
