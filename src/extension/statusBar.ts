import * as vscode from 'vscode';
import { type Disposable, DisposableStore } from '../base/disposable.js';
import type { Event } from '../base/event.js';
import type { AgentEvent } from '../protocol/agentEvents.js';
import type { CommandId } from '../protocol/commands.js';
import type { ModelBadge } from '../protocol/views.js';
import { canCancel, canRemember, type MemoryState } from './memory/memoryState.js';
import { memoryText } from './memory/memoryText.js';
import { nextSteps } from './nextSteps.js';
import { activityAfter, statusText } from './statusText.js';

/** Command of the status bar item: internal, so it is in no table and no palette. */
const menuCommand = 'loupe.statusMenu';

export interface StatusSource {
  readonly badge: () => ModelBadge;
  readonly onDidChangeBadge: Event<void>;
  readonly onTurnEvent: Event<AgentEvent>;
  readonly cancelLoading: () => void;
  readonly memory: { readonly state: MemoryState; readonly onDidChange: Event<MemoryState>; cancel(): void };
}

interface MenuItem extends vscode.QuickPickItem { readonly take: () => unknown }

/** The status bar item: the state of the model or what the running turn does; a click opens a short menu. */
export class StatusBar implements Disposable {
  private readonly disposables = new DisposableStore();
  private readonly item = this.disposables.add(vscode.window.createStatusBarItem('loupe.status', vscode.StatusBarAlignment.Right, 100));
  private activity: string | undefined;

  constructor(private readonly source: StatusSource) {
    this.item.name = 'Loupe';
    this.item.command = menuCommand;
    this.disposables.add(vscode.commands.registerCommand(menuCommand, () => this.showMenu()));
    this.disposables.add(source.onDidChangeBadge(() => this.render()));
    this.disposables.add(source.memory.onDidChange(() => this.render()));
    this.disposables.add(source.onTurnEvent((event) => {
      const activity = activityAfter(event, this.activity);
      if (activity === this.activity) return;
      this.activity = activity;
      this.render();
    }));
    this.render();
    this.item.show();
  }

  dispose(): void {
    this.disposables.dispose();
  }

  private render(): void {
    const { text, tooltip, label, warning } = statusText(this.source.badge(), this.activity, this.source.memory.state);
    this.item.text = text;
    this.item.tooltip = tooltip;
    this.item.accessibilityInformation = { label, role: 'button' };
    this.item.backgroundColor = warning ? new vscode.ThemeColor('statusBarItem.warningBackground') : undefined;
  }

  private async showMenu(): Promise<void> {
    const badge = this.source.badge();
    const cancel: MenuItem = { label: '$(debug-stop) Cancel Loading', description: badge.label, take: () => this.source.cancelLoading() };
    const items = [
      ...(badge.state === 'checking' || badge.state === 'loading' ? [cancel] : []),
      ...(this.activity === undefined ? [] : [entry('$(debug-stop) Stop', 'loupe.stop', this.activity)]),
      ...this.memoryEntries(),
      entry('$(comment-discussion) Ask About This Repository', 'loupe.ask'),
      entry('$(package) Choose Model', 'loupe.chooseModel', badge.label),
      entry('$(pulse) Show Trace', 'loupe.showTrace'),
      entry('$(dashboard) Audit Memory', 'loupe.auditMemory'),
      entry('$(edit) Toggle Inline Suggestions', 'loupe.toggleInline'),
      entry('$(refresh) Restart Sidecar', 'loupe.restartSidecar'),
      entry('$(output) Show Log', 'loupe.showLog'),
    ];
    const chosen = await vscode.window.showQuickPick(items, { title: 'Loupe', placeHolder: badge.detail });
    await chosen?.take();
  }

  /** What can be done about the memory of the repository; what went wrong with it comes with its next step. */
  private memoryEntries(): readonly MenuItem[] {
    const { memory } = this.source;
    const { state } = memory;
    const { bar } = memoryText(state);
    const items: MenuItem[] = [];
    if (state.state === 'failed') {
      const [step] = nextSteps(state.error.code);
      items.push({
        label: '$(warning) Repository Not Remembered', description: step?.title ?? '', detail: `${state.error.message} ${state.error.next}`,
        take: () => step && vscode.commands.executeCommand(step.command, ...(step.argument === undefined ? [] : [step.argument])),
      });
    }
    if (canCancel(state)) items.push({ label: '$(debug-stop) Cancel Remembering', ...(bar === undefined ? {} : { description: bar }), take: () => memory.cancel() });
    if (canRemember(state)) items.push(entry('$(database) Remember This Repository Now', 'loupe.rememberRepository'));
    if (state.state === 'warm') items.push(entry('$(trash) Forget This Repository', 'loupe.forgetRepository', bar));
    return items;
  }
}

const entry = (label: string, command: CommandId, description?: string): MenuItem =>
  ({ label, take: () => vscode.commands.executeCommand(command), ...(description === undefined ? {} : { description }) });
