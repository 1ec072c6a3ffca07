import type * as vscode from 'vscode';
import { systemClock } from '../../base/clock.js';
import { failure } from '../../base/errors.js';
import { runTurn } from '../../agent/loop.js';
import { isAboutWorkspace } from '../../agent/aboutWorkspace.js';
import { newErrorsJudge } from '../../agent/newErrors.js';
import type { ApprovalPort, CommandPort, EditPort, WorkspacePort } from '../../agent/ports.js';
import { renderAttachments } from '../../agent/prompt.js';
import { standardTools } from '../../agent/tools/standardTools.js';
import type { Tool } from '../../agent/tools/tool.js';
import type { TurnInput, TurnResult } from '../../agent/turn.js';
import { hashText } from '../../agent/workspace/nodeEdits.js';
import type { ChatModel } from '../../model/chatModel.js';
import type { AgentEvent, FileEdit } from '../../protocol/agentEvents.js';
import type { Attachment } from '../../protocol/conversation.js';
import { readAttachments } from '../chat/attachmentReader.js';

/** The ports of one workspace folder. */
export interface FolderPorts {
  readonly workspace: WorkspacePort;
  readonly edits: EditPort;
  readonly commands: CommandPort;
}

export interface AgentPortsDeps {
  /** The open folder with this URI. */
  readonly folder: (uri: string) => vscode.WorkspaceFolder | undefined;
  readonly ports: (folder: vscode.WorkspaceFolder) => FolderPorts;
  readonly approvals: ApprovalPort;
  readonly newId: () => string;
}

/** Connects the agent to the folder that its conversation works in. Ports and tools are made once for each folder. */
export class AgentPorts {
  private readonly byFolder = new Map<string, FolderPorts & { readonly tools: readonly Tool[] }>();

  constructor(private readonly deps: AgentPortsDeps) {}

  workspace(folder: string | undefined): { readonly workspace: WorkspacePort; readonly folder: vscode.WorkspaceFolder } {
    return this.need(folder);
  }

  runTurn(model: ChatModel, input: TurnInput, folder: string | undefined, signal: AbortSignal): AsyncGenerator<AgentEvent, TurnResult> {
    const { tools, workspace } = this.need(folder);
    return runTurn({
      model, tools, clock: systemClock, newId: this.deps.newId, judge: newErrorsJudge(workspace),
      isAboutWorkspace: (question, within) => isAboutWorkspace(question, workspace, within),
    }, input, signal);
  }

  async renderAttachments(attachments: readonly Attachment[], folder: string | undefined, signal: AbortSignal): Promise<string> {
    if (attachments.length === 0) return '';
    return renderAttachments(await readAttachments(attachments, this.need(folder).workspace, signal));
  }

  /** Previews an edit that the user asked for from an answer, waits for the decision and writes it. */
  async proposeEdit(edit: Pick<FileEdit, 'path' | 'kind' | 'before' | 'after'>, folder: string | undefined): Promise<void> {
    const { edits } = this.need(folder);
    const { signal } = new AbortController();
    const full: FileEdit = { ...edit, beforeHash: hashText(edit.before) };
    const decision = await this.deps.approvals.request({ id: this.deps.newId(), kind: 'edit', edit: full }, signal);
    if (decision === 'accepted') await edits.apply(full, signal);
  }

  /** @param uri undefined when no folder on disk is open */
  private need(uri: string | undefined): FolderPorts & { readonly tools: readonly Tool[]; readonly folder: vscode.WorkspaceFolder } {
    if (uri === undefined) throw failure('workspace.none', 'No folder is open.', 'Open the folder of your repository.');
    const folder = this.deps.folder(uri);
    if (!folder) throw failure('workspace.none', 'The folder of this chat is not open any more.', 'Add it to the workspace again, or start a new chat.');
    return { ...this.of(folder), folder };
  }

  private of(folder: vscode.WorkspaceFolder): FolderPorts & { readonly tools: readonly Tool[] } {
    const key = folder.uri.toString();
    const known = this.byFolder.get(key);
    if (known) return known;
    const ports = this.deps.ports(folder);
    const made = { ...ports, tools: standardTools({ ...ports, approvals: this.deps.approvals }, 'full') };
    this.byFolder.set(key, made);
    return made;
  }
}
