import * as vscode from 'vscode';
import { DisposableStore } from '../base/disposable.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { commands, contextKeys, views } from '../protocol/commands.js';
import type { ChatController } from './chat/chatController.js';
import type { Handlers } from './commands/handlers.js';
import { channelLogger } from './host/channelLogger.js';
import { load } from './host/load.js';

/** The parts of this window, made when the first of them is needed. */
interface Application {
  readonly handlers: Handlers;
  readonly resolveChat: (view: vscode.WebviewView) => void;
  readonly resolveTrace: (view: vscode.WebviewView) => void;
  /** Ends what runs and resolves when everything is on disk. */
  readonly end: () => Promise<void>;
}

let application: Promise<Application> | undefined;

/** Where a window keeps the folder that its user chose. */
const folderKey = 'loupe.folder';

/**
 * Only registers: everything behind it is imported and constructed when the workbench has settled, or when it is first asked
 * for, whichever comes first.
 */
export function activate(context: vscode.ExtensionContext): void {
  const channel = vscode.window.createOutputChannel('Loupe', { log: true });
  const logger = channelLogger(channel);
  const ready = (): Promise<Application> => (application ??= compose(context, channel, logger));
  const { subscriptions } = context;
  subscriptions.push(channel);
  for (const id of Object.keys(commands)) {
    subscriptions.push(vscode.commands.registerCommand(id, async (...args: unknown[]) => {
      const { handlers } = await ready();
      const { runCommand } = await import('./commands/runCommand.js');
      await runCommand(handlers[id as keyof Handlers], args, logger);
    }));
  }
  const options = { webviewOptions: { retainContextWhenHidden: false } };
  subscriptions.push(
    vscode.window.registerWebviewViewProvider(views.chat, { resolveWebviewView: async (view) => { (await ready()).resolveChat(view); } }, options),
    vscode.window.registerWebviewViewProvider(views.trace, { resolveWebviewView: async (view) => { (await ready()).resolveTrace(view); } }, options),
  );
  setImmediate(() => {
    ready().catch((error: unknown) => {
      logger.log('error', 'Loupe could not start', { error: messageOf(error) });
      void vscode.window.showErrorMessage(`Loupe could not start: ${messageOf(error)}`);
    });
  });
}

export async function deactivate(): Promise<void> {
  const running = application;
  application = undefined;
  await (await running)?.end();
}

/** Constructs the window's parts. Each import gets a turn of the event loop for itself, so that together they never hold the host. */
async function compose(context: vscode.ExtensionContext, channel: vscode.LogOutputChannel, logger: Logger): Promise<Application> {
  const { randomUUID } = await load(() => import('node:crypto'));
  const path = await load(() => import('node:path'));
  const { systemClock } = await load(() => import('../base/clock.js'));
  await load(() => import('zod'));
  const { UserSettings } = await load(() => import('./host/userSettings.js'));
  const { workspaceTrust: trust } = await load(() => import('./host/workspaceTrust.js'));
  const { EditorFolders, folderAt } = await load(() => import('./host/folder.js'));
  const { FolderChoice } = await load(() => import('./workspace/folderChoice.js'));
  const { showError } = await load(() => import('./host/notices.js'));
  const { PendingApprovals } = await load(() => import('./approvals/pendingApprovals.js'));
  const { EditPreview } = await load(() => import('./approvals/editPreview.js'));
  const { approvalNotices } = await load(() => import('./approvals/approvalNotices.js'));
  const { ModelService } = await load(() => import('./models/modelService.js'));
  const { ModelLibrary } = await load(() => import('./models/modelLibrary.js'));
  const { ModelCommands, endpointKeySecret } = await load(() => import('./models/modelCommands.js'));
  const { Sidecar } = await load(() => import('./models/sidecar.js'));
  const { ConversationStore } = await load(() => import('./chat/conversationStore.js'));
  const { ChatController } = await load(() => import('./chat/chatController.js'));
  const { systemTimers } = await load(() => import('../agent/timers.js'));
  const { TypingAhead } = await load(() => import('./chat/typingAhead.js'));
  const { ChatView } = await load(() => import('./chat/chatView.js'));
  const { EditorActions } = await load(() => import('./chat/editorActions.js'));
  const { turnRunner } = await load(() => import('./chat/turnRunner.js'));
  const { SessionGrants } = await load(() => import('../agent/sessionGrants.js'));
  const { AgentPorts } = await load(() => import('./workspace/agentPorts.js'));
  const { portsOfFolders } = await load(() => import('./workspace/folderPorts.js'));
  const { recoverBatches } = await load(() => import('./workspace/recoverBatches.js'));
  const { TraceRecorder } = await load(() => import('./trace/traceRecorder.js'));
  const { TraceView } = await load(() => import('./trace/traceView.js'));
  const { StatusBar } = await load(() => import('./statusBar.js'));
  const { Reports } = await load(() => import('./host/virtualDocuments.js'));
  const { commandHandlers } = await load(() => import('./commands/handlers.js'));
  // By themselves: the language client with all that it needs would hold the host too long at once.
  await load(() => import('vscode-jsonrpc/node'));
  await load(() => import('vscode-languageserver-protocol/node'));
  const { registerInline } = await load(() => import('./inline/registerInline.js'));
  const { registerMemory } = await load(() => import('./memory/registerMemory.js'));
  const { removeStore, storeFile } = await load(() => import('../context/store/storeFile.js'));
  const { cacheRoot } = await load(() => import('../model/paths.js'));
  await load(() => import('../protocol/window.js'));
  const { registerMcp } = await load(() => import('./mcp/registerMcp.js'));
  const { registerMcpClient } = await load(() => import('./mcp/client/registerMcpClient.js'));
  const { SidecarSupervisor } = await load(() => import('../model/sidecar/supervisor.js'));
  const { isAlive } = await load(() => import('../model/sidecar/stateFiles.js'));
  const { LocalChatModel } = await load(() => import('../model/localChatModel.js'));
  const { connectEndpoint } = await load(() => import('../model/endpoint/connectEndpoint.js'));
  const { readHardware } = await load(() => import('../model/hardware.js'));
  const { verifyModel } = await load(() => import('../model/verify.js'));
  const { otherAppModels } = await load(() => import('../model/otherApps.js'));
  const { downloadModel } = await load(() => import('../model/download.js'));
  const { TraceStore } = await load(() => import('../trace/store.js'));
  const { foldTurn } = await load(() => import('../trace/fold.js'));
  const { toOtlp } = await load(() => import('../trace/otlp.js'));
  const { toChromeTrace } = await load(() => import('../trace/chrome.js'));

  const disposables = new DisposableStore();
  const newId = (): string => randomUUID();
  // Without a folder there is no storage of its own: such windows share one.
  const storage = (context.storageUri ?? vscode.Uri.joinPath(context.globalStorageUri, 'no-folder')).fsPath;
  const settings = disposables.add(new UserSettings());
  const sidecar = disposables.add(new Sidecar({
    extension: context.extensionUri.fsPath,
    version: (context.extension.packageJSON as { version: string }).version,
    trust, logger, clock: systemClock,
    supervisor: (options) => new SidecarSupervisor(options),
    onError: (error) => void showError(error, logger),
  }));
  const library = disposables.add(new ModelLibrary({
    settings, trust, hardware: readHardware, ownBytes: () => sidecar.residentBytes(), engine: () => sidecar.storage(), verify: verifyModel, otherApps: otherAppModels,
  }));
  const models = disposables.add(new ModelService({
    trust, settings, clock: systemClock,
    choose: () => library.chooseChat(),
    check: (chosen, onProgress, signal) => library.checkFile(chosen, onProgress, signal),
    loadParams: (role, path, contextSize) => library.loadParams(role, path, contextSize),
    engine: () => sidecar.engine(),
    localModel: (engine, loaded) => new LocalChatModel(engine, loaded),
    connect: async (url, model, contextSize, signal) => {
      const apiKey = await context.secrets.get(endpointKeySecret);
      return connectEndpoint({ url, model, contextSize, ...(apiKey === undefined ? {} : { apiKey }) }, signal);
    },
  }));
  const modelCommands = new ModelCommands({ library, service: models, settings, secrets: context.secrets, download: downloadModel, logger });

  const folders = disposables.add(new FolderChoice(disposables.add(new EditorFolders()), {
    get: () => context.workspaceState.get<string>(folderKey),
    set: (folder) => context.workspaceState.update(folderKey, folder),
  }));
  const approvals = disposables.add(new PendingApprovals());
  const grants = new SessionGrants();
  const preview = disposables.add(new EditPreview(approvals));
  const folderPorts = await portsOfFolders({
    settings, storage, ripgrep: path.join(context.extensionUri.fsPath, 'dist', 'bin', process.platform === 'win32' ? 'rg.exe' : 'rg'),
  });
  const reports = disposables.add(new Reports());
  const version = (context.extension.packageJSON as { version: string }).version;
  const mcpClient = disposables.add(registerMcpClient({
    module: path.join(context.extensionUri.fsPath, 'dist', 'mcp', 'client.mjs'), version, records: path.join(context.globalStorageUri.fsPath, 'mcp'),
    trust, settings, reports, clock: systemClock, timers: systemTimers, onError: (error) => void showError(error, logger), logger,
  }));
  const ports = new AgentPorts({ folder: folderAt, approvals, grants, newId, ports: folderPorts.of, servers: (folder) => mcpClient.of(folder) });
  const store = new ConversationStore(path.join(storage, 'chats'), logger);
  const controller: ChatController = disposables.add(new ChatController({
    store, model: models, folders, trusted: () => trust.granted, clock: systemClock, newId, logger,
    run: turnRunner({
      acquire: (signal) => models.acquire(signal),
      attachments: (attachments, folder, signal) => ports.renderAttachments(attachments, folder, signal),
      agent: (model, input, folder, signal) => ports.runTurn(model, input, folder, signal),
      memoryOf: (conversation, model, signal) => memory.conversations.memoryOf(conversation, model, signal),
      budget: () => ({
        steps: settings.get('loupe.agent.maxSteps'), tokens: settings.get('loupe.agent.maxTokens'), wallMs: settings.get('loupe.agent.maxSeconds') * 1000,
      }),
      clock: systemClock,
    }),
  }));
  const indexFolder = path.join(context.globalStorageUri.fsPath, 'index');
  const inline = disposables.add(registerInline({
    serverModule: path.join(context.extensionUri.fsPath, 'dist', 'languageServer', 'main.cjs'),
    sidecar: await sidecar.address(), trust, settings,
    context: { grammars: path.join(context.extensionUri.fsPath, 'dist', 'grammars'), storage: indexFolder },
    completionModel: (onCheck, signal) => library.completionModel(onCheck, signal),
    onDidChangeModels: library.onDidChange,
    memento: context.globalState, channel, logger, clock: systemClock,
    onStatus: (status) => logger.log('info', 'Inline suggestions', { ...status }),
  }));

  const chatFolder = {
    get current(): string | undefined { return folderAt(controller.folder)?.uri.toString(); },
    onDidChange: controller.onDidChangeFolder,
  };
  const memory = disposables.add(registerMemory({
    trust, settings, model: models, serverTools: mcpClient, folder: chatFolder, server: inline.server, removeIndex: (folder) => removeStore(storeFile(indexFolder, folder)), onTurnEvent: controller.onTurnEvent, memento: context.workspaceState,
    prefixes: async () => (await sidecar.engine()).prefixes,
    prompt: (model, folder, remembered) => {
      const { system, tools } = ports.prefix(folder, remembered);
      return model.prefix(system, tools);
    },
    clock: systemClock, newId, logger,
  }));
  const editor = new EditorActions({
    folder: () => controller.folder,
    workspace: (folder) => ports.workspace(folder),
    proposeEdit: (edit, folder) => ports.proposeEdit(edit, folder),
    openDiff: (id) => preview.open(id),
    logger,
  });
  const loadModel = (): void => {
    if (trust.granted) void models.acquire(new AbortController().signal);
  };
  const typing = disposables.add(new TypingAhead({
    controller, models, logger, timers: systemTimers,
    attachments: (attachments, folder, signal) => ports.renderAttachments(attachments, folder, signal),
    memoryOf: (conversation, model, signal) => memory.conversations.upcoming(conversation, model, signal),
    read: (model, input, folder, signal) => ports.readAhead(model, input, folder, signal),
  }));
  const chat = disposables.add(new ChatView({
    extensionUri: context.extensionUri, controller, approvals, editor, logger,
    onShown: loadModel, onCancelLoading: () => models.cancel(), onTyping: (typed) => typing.typed(typed),
  }));
  const recorder = new TraceRecorder({
    store: new TraceStore({ folder: path.join(storage, 'trace'), keepTurns: settings.get('loupe.trace.keepTurns'), pid: process.pid, isAlive }), fold: foldTurn, logger,
  });
  const trace = disposables.add(new TraceView({
    extensionUri: context.extensionUri, recorder, logger,
    openLocation: async (conversation, path, line) => editor.openLocation(path, line, conversation === undefined ? controller.folder : await controller.folderOf(conversation)),
    showChat: ({ conversation, turnId }) => chat.showTurn(conversation, turnId),
    clock: systemClock,
  }));
  disposables.add(controller.onTurnEvent((event) => {
    recorder.record(event);
  }));
  disposables.add(controller.onDidChangeRunning((running) => void vscode.commands.executeCommand('setContext', contextKeys.turnRunning, running)));
  disposables.add(approvalNotices(approvals, () => chat.isVisible, () => chat.reveal()));
  disposables.add(new StatusBar({ badge: () => models.badge, onDidChangeBadge: models.onDidChange, onTurnEvent: controller.onTurnEvent, cancelLoading: () => models.cancel(), memory: memory.memory }));
  disposables.add(settings.onDidChange((keys) => {
    if ([...keys].some((key) => /^loupe\.(model|kv|endpoint)\./.test(key))) {
      models.reset();
      if (chat.isVisible) loadModel();
    }
  }));
  disposables.add(trust.onGranted(() => {
    void controller.sendState();
    if (chat.isVisible) loadModel();
  }));
  const undo = {
    folder: () => controller.folder, isRunning: () => controller.isRunning, checkpoints: (folder: string | undefined) => ports.checkpoints(folder),
    root: (folder: string | undefined) => ports.workspace(folder).workspace.root, newId, notice: (text: string) => controller.notice('info', text),
  };
  disposables.add(recoverBatches({ trust, roots: () => folders.all.map(({ uri }) => vscode.Uri.parse(uri, true).fsPath), batches: folderPorts.batches, logger }));
  const mcp = disposables.add(registerMcp({
    extension: context.extensionUri.fsPath, version, cache: cacheRoot(),
    trust, settings, ports: folderPorts.of, edits: approvals, index: inline.index, newId, logger,
  }));

  return {
    handlers: commandHandlers({
      trust, controller, chat, trace, recorder, approvals, grants, undo, preview, folders, models, modelCommands, reports, newId, channel, logger, memory: memory.memory,
      traceFormats: { otlp: (turns) => JSON.stringify(toOtlp(turns), null, 1), chrome: (turns) => JSON.stringify(toChromeTrace(turns)) },
      engine: () => sidecar.engine(),
      restartSidecar: async () => {
        await sidecar.restart();
        models.reset();
        loadModel();
      },
      currentSelection: () => editor.currentSelection(),
      copyMcpConfiguration: () => mcp.copyConfiguration(),
      showMcpServers: () => mcpClient.show(),
    }),
    resolveChat: (view) => chat.resolve(view),
    resolveTrace: (view) => trace.resolve(view),
    end: async () => {
      disposables.dispose();
      await Promise.all([store.idle(), recorder.idle()]);
    },
  };
}
