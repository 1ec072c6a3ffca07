import * as vscode from 'vscode';
import { type Disposable, DisposableStore } from '../../base/disposable.js';
import type { Logger } from '../../base/logger.js';
import type { Attachment } from '../../protocol/conversation.js';
import { views } from '../../protocol/commands.js';
import { type ChatToHost, chatToHostSchema, type HostToChat } from '../../protocol/views.js';
import { WebviewHost } from '../webviewHost.js';
import type { PendingApprovals } from '../approvals/pendingApprovals.js';
import type { ChatController } from './chatController.js';
import type { EditorActions } from './editorActions.js';
import type { Typed } from './typingAhead.js';

export interface ChatViewDeps {
  readonly extensionUri: vscode.Uri;
  readonly controller: ChatController;
  readonly approvals: PendingApprovals;
  readonly editor: EditorActions;
  /** Called when the view is shown, so that the model can load while the user types. */
  readonly onShown: () => void;
  readonly onCancelLoading: () => void;
  /** What the user types, as far as it may be read ahead; null when they left the input. */
  readonly onTyping: (typed: Typed | null) => void;
  readonly logger: Logger;
}

/** Commands that a view's button may take. */
const actions: Record<Extract<ChatToHost, { type: 'action' }>['action'], readonly [command: string, ...args: string[]]> = {
  restartSidecar: ['loupe.restartSidecar'],
  showLog: ['loupe.showLog'],
  chooseModelFile: ['loupe.chooseModelFile'],
  manageTrust: ['workbench.trust.manage'],
  openSettings: ['workbench.action.openSettings', '@ext:loupe.loupe'],
};

/** The chat view: what it sends goes to the controller or to the editor, what the controller says goes to it. */
export class ChatView implements Disposable {
  private readonly disposables = new DisposableStore();
  private host: WebviewHost<ChatToHost, HostToChat> | undefined;
  private view: vscode.WebviewView | undefined;
  /** Messages for a view that does not exist yet. */
  private early: HostToChat[] = [];

  constructor(private readonly deps: ChatViewDeps) {
    this.disposables.add(deps.controller.onMessage((message) => this.post(message)));
  }

  resolve(view: vscode.WebviewView): void {
    const { extensionUri, logger } = this.deps;
    this.host?.dispose();
    const host = new WebviewHost<ChatToHost, HostToChat>({
      webview: view.webview, extensionUri, bundle: 'chat', title: 'Loupe', schema: chatToHostSchema, logger,
      onMessage: (message) => this.handle(message),
      keep: keepForLater,
    });
    this.host = host;
    this.view = view;
    view.onDidDispose(() => {
      host.dispose();
      if (this.host === host) this.host = this.view = undefined;
    });
    for (const message of this.early.splice(0)) host.post(message);
  }

  get isVisible(): boolean {
    return this.view?.visible ?? false;
  }

  async reveal(): Promise<void> {
    await vscode.commands.executeCommand(`${views.chat}.focus`);
  }

  /** Shows a turn, in the conversation that it belongs to. */
  async showTurn(conversation: string, turnId: string): Promise<void> {
    await this.reveal();
    await this.deps.controller.openConversation(conversation);
    this.post({ type: 'showTurn', turnId });
  }

  post(message: HostToChat): void {
    if (this.host) this.host.post(message);
    else if (keepForLater(message)) this.early.push(message);
  }

  dispose(): void {
    this.host?.dispose();
    this.disposables.dispose();
  }

  /** The selection, where it lies in the folder of the shown chat: its path would mean another file there. */
  private selectionForChat(): { readonly selection: Attachment | null; readonly elsewhere?: string } {
    const { controller, editor } = this.deps;
    const found = editor.currentSelection();
    if (!found || found.folder.uri.toString() === controller.folder) return { selection: found?.selection ?? null };
    return { selection: null, elsewhere: found.folder.name };
  }

  private async handle(message: ChatToHost): Promise<void> {
    const { controller, approvals, editor } = this.deps;
    switch (message.type) {
      case 'ready':
        await controller.sendState();
        this.deps.onShown();
        return;
      case 'ask': {
        await controller.ask(message.text, message.attachments.map(exact));
        return;
      }
      case 'stop': return controller.stop();
      case 'retry': return controller.retry(message.turnId);
      case 'undoTurn':
        await vscode.commands.executeCommand('loupe.undoTurn', message.turnId);
        return;
      case 'restoreCheckpoint':
        await vscode.commands.executeCommand('loupe.restoreCheckpoint', message.turnId);
        return;
      case 'newChat': return controller.newChat();
      case 'openConversation': return controller.openConversation(message.id);
      case 'deleteConversation': return controller.delete(message.id);
      case 'draft': return controller.saveDraft({ text: message.text, attachments: message.attachments.map(exact) });
      case 'typing':
        this.deps.onTyping(message.typed && { text: message.typed.text, attachments: message.typed.attachments.map(exact) });
        return;
      case 'decide': {
        if (!approvals.decide(message.approvalId, message.decision, message.remember)) controller.notice('info', 'This approval has expired; nothing was done.');
        return;
      }
      case 'openDiff': return editor.openDiff(message.approvalId);
      case 'openLocation': return editor.openLocation(message.path, message.line);
      case 'insertCode': return editor.insertCode(message.code);
      case 'applyCode': return editor.applyCode(message.code, message.path);
      case 'copy': return editor.copy(message.text);
      case 'openExternal': return editor.openExternal(message.url);
      case 'searchFiles':
        this.post({ type: 'files', request: message.request, paths: await editor.searchFiles(message.query) });
        return;
      case 'currentSelection':
        this.post({ type: 'selection', request: message.request, ...this.selectionForChat() });
        return;
      case 'chooseFolder':
        await vscode.commands.executeCommand('loupe.chooseFolder');
        return;
      case 'chooseModel':
        await vscode.commands.executeCommand('loupe.chooseModel');
        return;
      case 'cancelLoading': return this.deps.onCancelLoading();
      case 'showTrace':
        await vscode.commands.executeCommand('loupe.showTrace', message.turnId);
        return;
      case 'action': {
        const [command, ...args] = actions[message.action];
        await vscode.commands.executeCommand(command, ...args);
      }
    }
  }
}

/** What the whole state does not repeat. */
const keepForLater = (message: HostToChat): boolean =>
  message.type === 'notice' || message.type === 'prefill' || message.type === 'showHistory' || message.type === 'showTurn';

/** Leaves out what is absent, which a validated message may hold as undefined. */
function exact({ kind, path, startLine, endLine }: Extract<ChatToHost, { type: 'ask' }>['attachments'][number]): Attachment {
  return { kind, path, ...(startLine === undefined ? {} : { startLine }), ...(endLine === undefined ? {} : { endLine }) };
}
