import * as vscode from 'vscode';
import type { Disposable } from '../../base/disposable.js';
import type { InlineStatus } from '../../protocol/inline.js';
import type { InlineCounts } from './inlineStatistics.js';
import { inlineStatusText } from './inlineStatusText.js';

/** The entry for inline suggestions in VS Code's language status, beside those of the language's own tools. */
export class InlineStatusItem implements Disposable {
  private readonly item = vscode.languages.createLanguageStatusItem('loupe.inline', { scheme: '*' });

  constructor() {
    this.item.name = 'Loupe Inline Suggestions';
  }

  show(status: InlineStatus, counts: InlineCounts): void {
    const { text, detail, warning, busy, action } = inlineStatusText(status, counts);
    this.item.text = text;
    this.item.detail = detail;
    this.item.busy = busy;
    this.item.severity = warning ? vscode.LanguageStatusSeverity.Warning : vscode.LanguageStatusSeverity.Information;
    this.item.accessibilityInformation = { label: detail === '' ? text : `${text}. ${detail}` };
    this.item.command = action === undefined ? undefined : { title: action.title, command: action.command };
  }

  dispose(): void {
    this.item.dispose();
  }
}
