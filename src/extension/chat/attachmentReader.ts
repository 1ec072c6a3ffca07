import * as vscode from 'vscode';
import type { WorkspacePort } from '../../agent/ports.js';
import { isAbort, messageOf } from '../../base/errors.js';
import type { Attachment } from '../../protocol/conversation.js';
import { workingTreeDiff } from '../commands/gitRepository.js';

/**
 * Fills attachments with their text, through the workspace port, whose path check keeps a view from naming a file outside
 * of the workspace. What cannot be read says so in its text, so that neither model nor user takes it for empty.
 */
export async function readAttachments(attachments: readonly Attachment[], workspace: WorkspacePort, signal: AbortSignal): Promise<Attachment[]> {
  return Promise.all(attachments.map(async (attachment) => {
    try {
      return { ...attachment, text: await textOf(attachment, workspace, signal) };
    } catch (error) {
      if (isAbort(error)) throw error;
      return { ...attachment, text: `(could not be read: ${messageOf(error)})` };
    }
  }));
}

async function textOf({ kind, path, startLine, endLine }: Attachment, workspace: WorkspacePort, signal: AbortSignal): Promise<string> {
  switch (kind) {
    case 'file': case 'selection': {
      const text = await workspace.readFile(path, signal);
      return startLine === undefined ? text : text.split(/\r?\n/).slice(startLine - 1, endLine ?? startLine).join('\n');
    }
    case 'problems': {
      const problems = await workspace.diagnostics(path === '' ? undefined : path, signal);
      const lines = (problems ?? []).map((p) => `${p.path}:${p.line}: ${p.severity}: ${p.message}${p.source ? ` (${p.source})` : ''}`);
      return lines.length > 0 ? lines.join('\n') : '(no problems are reported)';
    }
    case 'changes':
      return (await workingTreeDiff(vscode.Uri.file(workspace.root))) || '(no uncommitted changes)';
  }
}
