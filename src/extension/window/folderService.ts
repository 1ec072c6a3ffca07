import type * as vscode from 'vscode';
import type * as z from 'zod';
import { decide, noGrants, type PolicyDecision, type Reach } from '../../agent/policy.js';
import type { CommandPort, EditPort, WorkspacePort } from '../../agent/ports.js';
import { withPolicy } from '../../agent/toolRunner.js';
import { applyOnce, type Ledger } from '../../agent/tools/ledger.js';
import { standardTools } from '../../agent/tools/standardTools.js';
import type { Tool, ToolContext } from '../../agent/tools/tool.js';
import { LoupeFailure } from '../../base/errors.js';
import type { Result } from '../../base/result.js';
import { revealHidden } from '../../base/hiddenText.js';
import { resolveInside } from '../../context/files/paths.js';
import type { RelatedFiles, relatedQuestion } from '../../protocol/context.js';
import type { EffectOutcome } from '../../protocol/window.js';
import { unsavedAt } from '../workspace/editorWorkspace.js';
import type { ClientApprovals } from './clientApprovals.js';
import { openEditors } from './editorState.js';
import { FolderChanges } from './folderChanges.js';
import { fileSymbols, findReferences } from './languageFeatures.js';
import { folderTasks, pickTask, runTask, taskDetail, taskName } from './tasks.js';
import type { WindowService } from './windowServer.js';

export interface FolderServiceDeps {
  readonly folder: vscode.WorkspaceFolder;
  readonly workspace: WorkspacePort;
  readonly edits: EditPort;
  readonly commands: CommandPort;
  readonly approvals: (client: string) => ClientApprovals;
  /** What the index of the folder knows. */
  readonly related: (question: z.infer<typeof relatedQuestion>, signal: AbortSignal) => Promise<Result<RelatedFiles>>;
  readonly newId: () => string;
}

/** Clients whose tools are kept; a name is whatever a program says, so that there could be any number. */
const mostClients = 50;

interface Caller { readonly client: string; readonly call: string }

/** Answers for one folder of the window, with the agent's own tools where something takes effect. */
export function folderService(deps: FolderServiceDeps): WindowService {
  const { folder, workspace } = deps;
  const clients = new Map<string, { readonly approvals: ClientApprovals; readonly tools: readonly Tool[] }>();
  const taskLedger: Ledger = new Map();
  const changes = new FolderChanges(folder);
  const of = (client: string): { readonly approvals: ClientApprovals; readonly tools: readonly Tool[] } => {
    const known = clients.get(client);
    if (known) return known;
    const approvals = deps.approvals(client);
    const made = { approvals, tools: standardTools({ workspace, edits: deps.edits, commands: deps.commands, approvals }, 'full') };
    clients.set(client, made);
    const [oldest] = clients.keys();
    if (clients.size > mostClients && oldest !== undefined) clients.delete(oldest);
    return made;
  };
  const context = ({ client, call }: Caller, signal: AbortSignal, reach: Reach = { path: 'workspace' }, policy?: PolicyDecision): ToolContext => ({
    turnId: client, callId: call, zone: 'full', signal, reach, newId: deps.newId,
    approval: (approval, request) => request(policy === undefined ? approval : withPolicy(approval, { ...policy, remember: [] }), signal),
    coldStart: (_server, starting) => starting,
  });
  const use = async (name: string, args: Record<string, unknown>, caller: Caller, signal: AbortSignal): Promise<EffectOutcome> => {
    const tool = of(caller.client).tools.find(({ definition }) => definition.name === name);
    if (!tool) throw new Error(`There is no tool ${name}`);
    // The agent's policy, without what the user allowed the agent for a session: that was not said to another program.
    const reach = await tool.reach(args);
    const policy = decide({ zone: 'full', class: tool.class, ...reach }, noGrants);
    if (policy.verdict === 'deny') return { outcome: 'refused', content: revealHidden(policy.reason).text, truncated: false };
    const { outcome, content, truncated } = await tool.run(args, context(caller, signal, reach, policy));
    return { outcome, content: revealHidden(content).text, truncated };
  };
  return {
    listFiles: ({ limit, glob, under }, signal) => workspace.listFiles({ limit, ...(glob === undefined ? {} : { glob }), ...(under === undefined ? {} : { under }) }, signal),
    readFile: async ({ path }, signal) => {
      const text = await workspace.readFile(path, signal);
      const { absolute } = await resolveInside(workspace.root, path);
      return { text, unsaved: unsavedAt(absolute) !== undefined };
    },
    searchText: ({ glob, ...options }, signal) => workspace.searchText({ ...options, ...(glob === undefined ? {} : { glob }) }, signal),
    findSymbol: ({ name, limit }, signal) => workspace.findSymbol(name, limit, signal),
    fileSymbols: ({ path }, signal) => fileSymbols(workspace, path, signal),
    references: ({ name, place, limit }, signal) => findReferences(folder, workspace, { name, place }, limit, signal),
    diagnostics: async ({ path }, signal) => (await workspace.diagnostics(path, signal)) ?? [],
    openEditors: async () => openEditors(folder),
    related: async (question, signal) => {
      const found = await deps.related(question, signal);
      if (!found.ok) throw new LoupeFailure(found.error);
      return found.value;
    },
    changes: ({ after }, signal) => changes.since(after, signal),
    proposeEdit: ({ client, call, ...edit }, signal) => use('propose_edit', edit, { client, call }, signal),
    runCommand: ({ client, call, command }, signal) => use('run_command', { command }, { client, call }, signal),
    tasks: async () => (await folderTasks(folder)).map(taskName),
    runTask: async ({ client, call, name, source }, signal) => {
      const { outcome, content, truncated } = await applyOnce(taskLedger, context({ client, call }, signal), async () => {
        const task = pickTask(await folderTasks(folder), name, source);
        const decision = await of(client).approvals.requestTask(name, taskDetail(task), signal);
        if (decision === 'rejected') return { outcome: 'refused', content: 'The user did not allow this task; it was not run.', summary: '', truncated: false };
        return { ...await runTask(task, signal), summary: '' };
      });
      return { outcome, content, truncated };
    },
  };
}
