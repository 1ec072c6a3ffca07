import * as vscode from 'vscode';
import { type Disposable, DisposableStore } from '../../base/disposable.js';
import { Emitter, type Event } from '../../base/event.js';
import { systemTimers } from '../../agent/timers.js';
import { onBattery } from '../../model/power.js';
import type { AgentEvent } from '../../protocol/agentEvents.js';
import { ContextClient, type ContextServer } from './contextClient.js';
import { ConversationMemory, type MemoryOfConversation } from './conversationMemory.js';
import { type MemoryDeps, RepositoryMemory } from './repositoryMemory.js';

export interface MemoryParts extends Omit<MemoryDeps, 'index' | 'onActivity' | 'onLook' | 'timers' | 'onBattery'> {
  readonly server: ContextServer;
  /** Removes what the index of a folder left on disk. */
  readonly removeIndex: (folder: string) => void;
  readonly onTurnEvent: Event<AgentEvent>;
  /** Keeps, for this workspace, which memory each conversation has. */
  readonly memento: vscode.Memento;
}

export interface RegisteredMemory extends Disposable {
  readonly memory: RepositoryMemory;
  readonly conversations: ConversationMemory;
}

const conversationsKey = 'loupe.memory.conversations';
/** Output channels and other views are documents, too: nobody types there. */
const typedIn = new Set(['file', 'untitled', 'vscode-notebook-cell']);

/** The memory of this window's repository, and what in the editor tells it that somebody works or that there is something to look at. */
export function registerMemory({ server, removeIndex, onTurnEvent, memento, ...deps }: MemoryParts): RegisteredMemory {
  const disposables = new DisposableStore();
  const activity = disposables.add(new Emitter<void>());
  const look = disposables.add(new Emitter<void>());
  const index = new ContextClient(server, removeIndex);
  const active = (): void => activity.fire();
  disposables.add(vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
    if (contentChanges.length > 0 && typedIn.has(document.uri.scheme)) active();
  }));
  disposables.add(vscode.window.onDidChangeTextEditorSelection(({ textEditor }) => {
    if (typedIn.has(textEditor.document.uri.scheme)) active();
  }));
  disposables.add(vscode.window.onDidChangeActiveTextEditor(active));
  disposables.add(onTurnEvent(active));
  disposables.add(vscode.workspace.onDidSaveTextDocument(() => look.fire()));
  disposables.add(vscode.window.onDidChangeWindowState(({ focused }) => {
    if (focused) look.fire();
  }));
  const memory = disposables.add(new RepositoryMemory({ ...deps, index, onActivity: activity.event, onLook: look.event, timers: systemTimers, onBattery: () => onBattery() }));
  const conversations = new ConversationMemory({
    warmFor: (folder, model) => memory.warmFor(folder, model),
    plan: (params, signal) => index.plan(params, signal),
    store: { get: () => memento.get<Readonly<Record<string, MemoryOfConversation>>>(conversationsKey, {}), set: (all) => memento.update(conversationsKey, all) },
    logger: deps.logger,
  });
  return { memory, conversations, dispose: () => disposables.dispose() };
}
