import * as vscode from 'vscode';
import type { Clock } from '../../base/clock.js';
import { type Disposable, DisposableStore } from '../../base/disposable.js';
import type { Logger } from '../../base/logger.js';
import { views } from '../../protocol/commands.js';
import type { TraceTurn } from '../../protocol/trace.js';
import { type HostToTrace, type TraceToHost, traceToHostSchema } from '../../protocol/views.js';
import { WebviewHost } from '../webviewHost.js';
import type { TraceRecorder } from './traceRecorder.js';

export interface TraceViewDeps {
  readonly extensionUri: vscode.Uri;
  readonly recorder: TraceRecorder;
  /** Opens a file of the folder that the conversation worked in. */
  readonly openLocation: (conversation: string | undefined, path: string, line?: number) => Promise<void>;
  /** Shows the turn in the chat. */
  readonly showChat: (turn: TraceTurn) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A running turn changes with every token; the view is told this often, in milliseconds. */
const updateEveryMs = 100;

/** The trace panel: the turns of this workspace and, of the selected one, every hop. */
export class TraceView implements Disposable {
  private readonly disposables = new DisposableStore();
  private host: WebviewHost<TraceToHost, HostToTrace> | undefined;
  private selected: string | null = null;
  private known = new Set<string>();
  private due: NodeJS.Timeout | undefined;

  constructor(private readonly deps: TraceViewDeps) {
    this.disposables.add(deps.recorder.onDidChange((turn) => {
      this.changed(turn);
    }));
  }

  resolve(view: vscode.WebviewView): void {
    const { extensionUri, logger } = this.deps;
    this.host?.dispose();
    const host = new WebviewHost<TraceToHost, HostToTrace>({
      webview: view.webview, extensionUri, bundle: 'trace', title: 'Loupe Trace', schema: traceToHostSchema, logger,
      onMessage: (message) => this.handle(message),
      keep: () => false,
    });
    this.host = host;
    view.onDidDispose(() => {
      host.dispose();
      if (this.host === host) this.host = undefined;
    });
  }

  /** Shows the panel, at a turn when one is named. */
  async reveal(turnId?: string): Promise<void> {
    if (turnId !== undefined) this.selected = turnId;
    await vscode.commands.executeCommand(`${views.trace}.focus`);
    await this.sendAll();
  }

  get selectedTurn(): string | null {
    return this.selected;
  }

  dispose(): void {
    clearTimeout(this.due);
    this.host?.dispose();
    this.disposables.dispose();
  }

  private async handle(message: TraceToHost): Promise<void> {
    switch (message.type) {
      case 'ready': return this.sendAll();
      case 'select':
        this.selected = message.turnId;
        return this.sendTurn();
      case 'export':
        await vscode.commands.executeCommand('loupe.exportTrace');
        return;
      case 'showChat': {
        const turn = await this.deps.recorder.turn(message.turnId);
        return turn && this.deps.showChat(turn);
      }
      case 'openLocation': {
        const turn = this.selected === null ? undefined : await this.deps.recorder.turn(this.selected);
        return this.deps.openLocation(turn?.conversation, message.path, message.line);
      }
    }
  }

  private async sendAll(): Promise<void> {
    const turns = await this.deps.recorder.turns();
    this.known = new Set(turns.map((t) => t.turnId));
    if (this.selected === null || !this.known.has(this.selected)) this.selected = turns[0]?.turnId ?? null;
    this.host?.post({ type: 'turns', turns, selected: this.selected });
    await this.sendTurn();
  }

  private async sendTurn(): Promise<void> {
    const turn = this.selected === null ? undefined : await this.deps.recorder.turn(this.selected);
    if (turn) this.host?.post({ type: 'turn', turn, elapsedMs: turn.running ? this.deps.clock.now() - turn.startedAt : turn.durationMs });
  }

  private changed(turn: TraceTurn): void {
    const isNew = !this.known.has(turn.turnId);
    if (isNew) {
      this.known.add(turn.turnId);
      this.selected = turn.turnId; // a new question is what the user wants to see
    }
    if (isNew || !turn.running) {
      void this.sendAll();
      return;
    }
    this.due ??= setTimeout(() => {
      this.due = undefined;
      void this.sendTurn();
    }, updateEveryMs);
  }
}
