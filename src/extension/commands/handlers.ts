import * as vscode from 'vscode';
import { failure, LoupeFailure } from '../../base/errors.js';
import type { SessionGrants } from '../../agent/sessionGrants.js';
import type { Logger } from '../../base/logger.js';
import type { Engine, EngineMemory } from '../../model/engine.js';
import { displayName, inspectModel } from '../../model/installed.js';
import type { CommandId } from '../../protocol/commands.js';
import { modelRoles } from '../../protocol/sidecar.js';
import type { PendingApprovals } from '../approvals/pendingApprovals.js';
import type { EditPreview } from '../approvals/editPreview.js';
import type { ChatController } from '../chat/chatController.js';
import type { ChatView } from '../chat/chatView.js';
import type { EditorActions } from '../chat/editorActions.js';
import { activeFolder, folderAt } from '../host/folder.js';
import type { Reports } from '../host/virtualDocuments.js';
import { toggleInline } from '../inline/toggleInline.js';
import { forgetRepository, type MemoryCommandDeps, rememberRepository } from '../memory/memoryCommands.js';
import type { RepositoryMemory } from '../memory/repositoryMemory.js';
import type { ModelCommands } from '../models/modelCommands.js';
import type { ModelService } from '../models/modelService.js';
import { exportTrace, type TraceFormats } from '../trace/exportTrace.js';
import type { TraceRecorder } from '../trace/traceRecorder.js';
import type { TraceView } from '../trace/traceView.js';
import type { Trust } from '../trust.js';
import type { FolderChoice } from '../workspace/folderChoice.js';
import { auditReport } from './auditReport.js';
import { chooseFolder } from './chooseFolder.js';
import { codeQuestionAtCursor } from './codeCommands.js';
import { type CodeCommand, reviewQuestion } from '../../agent/codeQuestions.js';
import { writeCommitMessage } from './commitMessage.js';
import { workingTreeDiff } from './gitRepository.js';
import { restoreCheckpoint, type UndoDeps, undoTurn } from './undoTurn.js';
import { sessionApprovals } from './sessionApprovals.js';

export interface HandlerDeps {
  readonly trust: Trust;
  readonly controller: ChatController;
  readonly chat: ChatView;
  readonly trace: TraceView;
  readonly recorder: TraceRecorder;
  readonly traceFormats: TraceFormats;
  readonly approvals: PendingApprovals;
  readonly grants: SessionGrants;
  readonly undo: UndoDeps;
  readonly preview: EditPreview;
  readonly models: ModelService;
  readonly modelCommands: ModelCommands;
  readonly memory: RepositoryMemory;
  readonly reports: Reports;
  readonly engine: () => Promise<Engine & { readonly prefixes: EngineMemory }>;
  readonly restartSidecar: () => Promise<void>;
  readonly folders: FolderChoice;
  readonly currentSelection: EditorActions['currentSelection'];
  readonly copyMcpConfiguration: () => Promise<void>;
  readonly showMcpServers: () => Promise<void>;
  readonly newId: () => string;
  readonly channel: vscode.LogOutputChannel;
  readonly logger: Logger;
}

export type Handlers = Readonly<Record<CommandId, (...args: readonly unknown[]) => Promise<void> | void>>;

/** What each command of the table does. Commands that start something look at Workspace Trust themselves: hidden ones stay callable. */
export function commandHandlers(deps: HandlerDeps): Handlers {
  const { controller, chat, trace, approvals, preview, modelCommands } = deps;
  const memoryDeps: MemoryCommandDeps = { memory: deps.memory, models: deps.models, folder: () => folderAt(controller.folder) };
  const about = (command: CodeCommand) => async (): Promise<void> => {
    needTrust(deps.trust);
    const folder = activeFolder();
    const asked = folder && await codeQuestionAtCursor(command, folder);
    if (!asked) throw failure('path.notFound', 'There is no code at the cursor to ask about.', 'Open a file of this workspace and select some code.');
    await chat.reveal();
    await controller.useFolder(folder.uri.toString());
    await controller.ask(asked.question, asked.attachments);
  };
  const decide = (decision: 'accepted' | 'rejected') => (resource: unknown): void => {
    const id = preview.activeId(resource instanceof vscode.Uri ? resource : undefined);
    if (id === undefined || !approvals.decide(id, decision)) {
      void vscode.window.showInformationMessage('No edit waits here. Open the diff of a proposed edit first.');
    }
  };
  return {
    'loupe.ask': async () => {
      await chat.reveal();
      const found = deps.currentSelection();
      if (!found) return;
      const { text } = (await controller.state()).draft;
      await controller.useFolder(found.folder.uri.toString());
      await controller.prefill(text, [found.selection]);
    },
    'loupe.newChat': async () => {
      await controller.newChat();
      await chat.reveal();
    },
    'loupe.chatHistory': async () => {
      await chat.reveal();
      await controller.sendState();
      chat.post({ type: 'showHistory' });
    },
    'loupe.stop': () => controller.stop(),
    'loupe.explain': about('loupe.explain'),
    'loupe.fix': about('loupe.fix'),
    'loupe.writeTests': about('loupe.writeTests'),
    'loupe.document': about('loupe.document'),
    'loupe.reviewChanges': async () => {
      needTrust(deps.trust);
      const { uri } = needFolder(deps.folders);
      if ((await workingTreeDiff(uri)).trim() === '') {
        void vscode.window.showInformationMessage('There are no uncommitted changes to review.');
        return;
      }
      await chat.reveal();
      await controller.useFolder(uri.toString());
      await controller.ask(reviewQuestion, [{ kind: 'changes', path: '' }]);
    },
    'loupe.commitMessage': async (source) => {
      needTrust(deps.trust);
      await writeCommitMessage(rootOf(source) ?? needFolder(deps.folders).uri, (signal) => deps.models.acquire(signal));
    },
    'loupe.chooseFolder': () => chooseFolder(deps.folders, controller),
    'loupe.chooseModel': async () => {
      needTrust(deps.trust); // looking at the machine starts processes
      await modelCommands.chooseModel();
    },
    'loupe.chooseModelFile': () => modelCommands.chooseFile(),
    'loupe.setEndpointKey': () => modelCommands.setEndpointKey(),
    'loupe.restartSidecar': async () => {
      needTrust(deps.trust);
      await deps.restartSidecar();
    },
    'loupe.showTrace': (turnId) => trace.reveal(typeof turnId === 'string' ? turnId : undefined),
    'loupe.exportTrace': async () => {
      await exportTrace(await deps.recorder.all(), deps.traceFormats, folderAt(controller.folder)?.uri);
    },
    'loupe.auditMemory': () => auditMemory(deps),
    'loupe.rememberRepository': async () => {
      needTrust(deps.trust);
      await rememberRepository(memoryDeps);
    },
    'loupe.forgetRepository': async () => {
      needTrust(deps.trust);
      await forgetRepository(memoryDeps);
    },
    'loupe.copyMcpConfiguration': () => deps.copyMcpConfiguration(),
    'loupe.mcpServers': async () => {
      needTrust(deps.trust); // nothing is started in an untrusted workspace, so there is nothing to show
      await deps.showMcpServers();
    },
    'loupe.toggleInline': toggleInline,
    'loupe.showLog': () => {
      deps.channel.show();
    },
    'loupe.walkthrough': async () => {
      await vscode.commands.executeCommand('workbench.action.openWalkthrough', 'loupe.loupe#getStarted', false);
    },
    'loupe.undoTurn': (turnId) => {
      needTrust(deps.trust); // it starts git
      return undoTurn(deps.undo, typeof turnId === 'string' ? turnId : undefined);
    },
    'loupe.restoreCheckpoint': (turnId) => {
      needTrust(deps.trust);
      return restoreCheckpoint(deps.undo, typeof turnId === 'string' ? turnId : undefined);
    },
    'loupe.sessionApprovals': () => sessionApprovals(deps.grants),
    'loupe.acceptEdit': decide('accepted'),
    'loupe.rejectEdit': decide('rejected'),
  };
}

async function auditMemory(deps: HandlerDeps): Promise<void> {
  needTrust(deps.trust);
  const report = await vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title: 'Loupe audits its memory', cancellable: true }, async (_progress, token) => {
    const controller = new AbortController();
    token.onCancellationRequested(() => controller.abort());
    const model = await deps.models.acquire(controller.signal);
    if (!model.ok) throw new LoupeFailure(model.error);
    const engine = await deps.engine();
    const status = await engine.status();
    if (!status.ok) throw new LoupeFailure(status.error);
    const loaded = modelRoles.filter((role) => status.value.roles[role].state === 'ready');
    if (loaded.length === 0) throw failure('model.none', 'No local model is loaded, so there is no memory to audit.', 'Choose a local model.');
    const names: string[] = [];
    const audits = await Promise.all(loaded.map(async (role, index) => {
      const audit = await engine.audit(role);
      if (!audit.ok) throw new LoupeFailure(audit.error);
      names[index] = audit.value.model;
      const state = status.value.roles[role];
      // A file may call itself anything; the user knows it by the name that the list shows.
      const file = state.state === 'ready' ? await inspectModel(state.model.path) : undefined;
      return file?.ok && file.value ? { ...audit.value, model: displayName(file.value) } : audit.value;
    }));
    const memory = await engine.prefixes.list();
    if (!memory.ok) throw new LoupeFailure(memory.error);
    return auditReport(audits, { ...memory.value, names });
  });
  await deps.reports.show('Memory Audit.md', report);
}

function needTrust(trust: Trust): void {
  if (!trust.granted) throw failure('workspace.untrusted', 'This workspace is not trusted.', 'Trust it to let Loupe start a model.');
}

/** The title of a repository in Source Control passes that repository. */
const rootOf = (source: unknown): vscode.Uri | undefined =>
  (typeof source === 'object' && source !== null && 'rootUri' in source && source.rootUri instanceof vscode.Uri ? source.rootUri : undefined);

function needFolder(folders: FolderChoice): vscode.WorkspaceFolder {
  const folder = folderAt(folders.current?.uri);
  if (!folder) throw failure('workspace.none', 'No folder is open.', 'Open the folder of your repository.');
  return folder;
}
