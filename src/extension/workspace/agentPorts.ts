import type * as vscode from 'vscode';
import { systemClock } from '../../base/clock.js';
import { failure } from '../../base/errors.js';
import type { Result } from '../../base/result.js';
import { runTurn } from '../../agent/loop.js';
import type { McpPort, McpTool, ServerStart } from '../../agent/mcp/port.js';
import { mcpTools } from '../../agent/mcp/toolSet.js';
import type { Ledger } from '../../agent/tools/ledger.js';
import { aboutWorkspace } from '../../agent/aboutWorkspace.js';
import { newErrorsJudge } from '../../agent/newErrors.js';
import type { FirstInput } from '../../agent/prefix.js';
import { readAhead } from '../../agent/readAhead.js';
import type { ApprovalPort, CommandPort, EditPort, WorkspacePort } from '../../agent/ports.js';
import { decide, type Grants, noGrants } from '../../agent/policy.js';
import { renderAttachments } from '../../agent/prompt.js';
import { pathReach } from '../../agent/reach.js';
import type { SessionGrants } from '../../agent/sessionGrants.js';
import { standardTools } from '../../agent/tools/standardTools.js';
import type { Tool } from '../../agent/tools/tool.js';
import { type TurnPrefix, turnPrefix } from '../../agent/prefix.js';
import type { TurnInput, TurnMemory, TurnResult } from '../../agent/turn.js';
import type { Checkpoints } from '../../agent/workspace/checkpoints.js';
import { hashText } from '../../agent/workspace/nodeEdits.js';
import type { ChatModel } from '../../model/chatModel.js';
import type { AgentEvent, FileEdit } from '../../protocol/agentEvents.js';
import type { Attachment } from '../../protocol/conversation.js';
import type { PrefixStats } from '../../protocol/memory.js';
import type { PendingApprovals } from '../approvals/pendingApprovals.js';
import { readAttachments } from '../chat/attachmentReader.js';

/** The ports of one workspace folder. */
export interface FolderPorts {
  readonly workspace: WorkspacePort;
  readonly edits: EditPort;
  readonly commands: CommandPort;
  readonly checkpoints: Checkpoints;
}

export interface AgentPortsDeps {
  /** The open folder with this URI. */
  readonly folder: (uri: string) => vscode.WorkspaceFolder | undefined;
  readonly ports: (folder: vscode.WorkspaceFolder) => FolderPorts;
  readonly approvals: PendingApprovals;
  readonly grants: SessionGrants;
  readonly newId: () => string;
  /** The MCP servers of a folder; undefined where there are none. */
  readonly servers?: (folder: vscode.WorkspaceFolder) => FolderServers | undefined;
}

/** MCP servers as a folder's turns use them. */
export interface FolderServers extends McpPort {
  toolsOf(conversation: string, signal: AbortSignal): Promise<{ readonly tools: readonly McpTool[]; readonly starts: readonly ServerStart[] }>;
  upcoming(conversation?: string): readonly McpTool[];
  always(identity: string): boolean;
}

interface Known extends FolderPorts { readonly tools: readonly Tool[]; readonly asking: ApprovalPort; readonly ledger: Ledger }

/** Connects the agent to the folder that its conversation works in. Ports and tools are made once for each folder. */
export class AgentPorts {
  private readonly byFolder = new Map<string, Known>();

  constructor(private readonly deps: AgentPortsDeps) {}

  workspace(folder: string | undefined): { readonly workspace: WorkspacePort; readonly folder: vscode.WorkspaceFolder } {
    return this.need(folder);
  }

  checkpoints(folder: string | undefined): Checkpoints {
    return this.need(folder).checkpoints;
  }

  async *runTurn(model: ChatModel, input: TurnInput, folder: string | undefined, signal: AbortSignal): AsyncGenerator<AgentEvent, TurnResult> {
    const known = this.need(folder);
    const { tools, workspace, checkpoints } = known;
    const servers = this.deps.servers?.(known.folder);
    const events = runTurn({
      model, tools, clock: systemClock, newId: this.deps.newId, grants: this.grantsOf(known.folder, servers), judge: newErrorsJudge(workspace),
      aboutWorkspace: (question, within) => aboutWorkspace(question, workspace, within),
      checkpoint: (turn) => checkpoints.takeOnce(turn),
      ...(servers === undefined ? {} : {
        serverTools: async ({ conversation }, within) => {
          const { tools: offered, starts } = await servers.toolsOf(conversation, within);
          return { tools: toolsFrom(offered, known, servers), starts };
        },
      }),
    }, input, signal);
    try {
      return yield* events;
    } finally {
      await checkpoints.end(input.turnId);
    }
  }

  /** Reads the beginning of a turn's first prompt, with the tools that {@link runTurn} gives it. */
  async readAhead(model: ChatModel, input: FirstInput & Pick<TurnInput, 'conversation'>, folder: string, signal: AbortSignal): Promise<Result<PrefixStats> | undefined> {
    return readAhead({ model, tools: this.upcomingTools(folder, input.conversation) }, input, signal);
  }

  /** What every prompt of a chat in this folder begins with. */
  prefix(folder: string, memory: TurnMemory): TurnPrefix {
    return turnPrefix(this.upcomingTools(folder), 'full', memory);
  }

  async renderAttachments(attachments: readonly Attachment[], folder: string | undefined, signal: AbortSignal): Promise<string> {
    if (attachments.length === 0) return '';
    return renderAttachments(await readAttachments(attachments, this.need(folder).workspace, signal));
  }

  /** Previews an edit that the user asked for from an answer, waits for the decision and writes it. */
  async proposeEdit(edit: Pick<FileEdit, 'path' | 'kind' | 'before' | 'after'>, folder: string | undefined): Promise<void> {
    const { edits, workspace } = this.need(folder);
    const { signal } = new AbortController();
    const full: FileEdit = { ...edit, beforeHash: hashText(edit.before) };
    const { verdict, reason, warning } = decide({ zone: 'full', class: 'write', ...await pathReach(workspace.root, edit.path) }, noGrants);
    if (verdict === 'deny') throw failure('tool.refused', reason, 'Choose a file of this folder.');
    const decision = await this.deps.approvals.request({ id: this.deps.newId(), kind: 'edit', edit: full, ...(warning === undefined ? {} : { warning }) }, signal);
    if (decision === 'accepted') await edits.apply(full, signal);
  }

  /** The agent's own tools and those of servers that are known by now. */
  private upcomingTools(folder: string, conversation?: string): readonly Tool[] {
    const known = this.need(folder);
    const servers = this.deps.servers?.(known.folder);
    return servers === undefined ? known.tools : [...known.tools, ...toolsFrom(servers.upcoming(conversation), known, servers)];
  }

  private grantsOf({ uri }: vscode.WorkspaceFolder, servers: FolderServers | undefined): Grants {
    const session = this.deps.grants.of(uri.toString());
    return { ...session, allowsTool: (identity) => session.allowsTool(identity) ?? (servers?.always(identity) === true ? 'always' : undefined) };
  }

  /** @param uri undefined when no folder on disk is open */
  private need(uri: string | undefined): Known & { readonly folder: vscode.WorkspaceFolder } {
    if (uri === undefined) throw failure('workspace.none', 'No folder is open.', 'Open the folder of your repository.');
    const folder = this.deps.folder(uri);
    if (!folder) throw failure('workspace.none', 'The folder of this chat is not open any more.', 'Add it to the workspace again, or start a new chat.');
    return { ...this.of(folder), folder };
  }

  private of(folder: vscode.WorkspaceFolder): Known {
    const key = folder.uri.toString();
    const known = this.byFolder.get(key);
    if (known) return known;
    const ports = this.deps.ports(folder);
    const { approvals, grants } = this.deps;
    const asking: ApprovalPort = {
      request: (approval, signal) => approvals.request(approval, signal, (scope) => grants.remember(key, approval, scope)),
    };
    const edits = grants.following(key, ports.edits);
    const made: Known = { ...ports, edits, asking, ledger: new Map(), tools: standardTools({ ...ports, edits, approvals: asking }, 'full') };
    this.byFolder.set(key, made);
    return made;
  }
}

const toolsFrom = (offered: readonly McpTool[], { tools, asking, ledger }: Known, port: McpPort): readonly Tool[] => mcpTools(offered, tools.length, { port, approvals: asking, ledger });
