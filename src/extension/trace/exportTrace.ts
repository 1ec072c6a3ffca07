import * as vscode from 'vscode';
import { failure, messageOf } from '../../base/errors.js';
import type { TraceTurn } from '../../protocol/trace.js';

export interface TraceFormats {
  /** One OTLP-JSON document. */
  readonly otlp: (turns: readonly TraceTurn[]) => string;
  /** Chrome's trace event format, for its trace viewer and for Perfetto. */
  readonly chrome: (turns: readonly TraceTurn[]) => string;
}

/** Writes turns to a file of the user's choice, in the format they choose. */
export async function exportTrace(turns: readonly TraceTurn[], formats: TraceFormats, folder: vscode.Uri | undefined): Promise<void> {
  if (turns.length === 0) throw failure('path.notFound', 'There is no trace yet.', 'Ask a question first.');
  const format = await vscode.window.showQuickPick([
    { label: 'OpenTelemetry', description: 'OTLP JSON', key: 'otlp' as const, extension: 'otlp.json' },
    { label: 'Chrome trace', description: 'for chrome://tracing and Perfetto', key: 'chrome' as const, extension: 'trace.json' },
  ], { title: 'Export Trace', placeHolder: `${turns.length} ${turns.length === 1 ? 'turn' : 'turns'}` });
  if (!format) return;
  const name = `loupe.${format.extension}`;
  const uri = await vscode.window.showSaveDialog({
    title: 'Export Trace', filters: { JSON: ['json'] }, ...(folder ? { defaultUri: vscode.Uri.joinPath(folder, name) } : {}),
  });
  if (!uri) return;
  await write(uri, formats[format.key](turns));
  const open = 'Open';
  if (await vscode.window.showInformationMessage(`The trace was exported to ${vscode.workspace.asRelativePath(uri)}.`, open) === open) {
    await vscode.window.showTextDocument(uri);
  }
}

async function write(uri: vscode.Uri, text: string): Promise<void> {
  try {
    await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(text));
  } catch (thrown) {
    throw failure('trace.exportFailed', `The trace could not be written to ${vscode.workspace.asRelativePath(uri)}.`,
      'It is kept: export it again, to a folder that you may write to.', messageOf(thrown));
  }
}
