import * as vscode from 'vscode';
import type { EditPort, WorkspacePort } from '../../agent/ports.js';
import { resolveInside } from '../../context/files/paths.js';
import { failure } from '../../base/errors.js';
import type { FileEdit } from '../../protocol/agentEvents.js';
import { minimalEdit } from './minimalEdit.js';

/**
 * Writes approved edits: into the editor where the file is open, so that undo takes them back, and saved; else to disk by
 * `files`, which replaces the file as a whole. Both refuse when the text is no longer what the user was shown.
 */
export class EditorEdits implements EditPort {
  constructor(private readonly workspace: WorkspacePort, private readonly files: EditPort) {}

  async apply(edit: FileEdit, signal: AbortSignal): Promise<void> {
    const { absolute } = await resolveInside(this.workspace.root, edit.path);
    const document = vscode.workspace.textDocuments.find((d) => d.uri.scheme === 'file' && d.uri.fsPath === absolute);
    if (edit.kind === 'create' || !document) return this.files.apply(edit, signal);
    // Asked through the port: unsaved text where there is some, else the disk, which the editor may not have noticed yet.
    const current = await this.workspace.readFile(edit.path, signal);
    const before = withoutBom(edit.before);
    if (withoutBom(current) !== before || document.getText() !== before) {
      throw failure('edit.changedOnDisk', `${edit.path} changed since the edit was proposed.`, 'Read it again and propose the edit anew.');
    }
    const { start, end, text } = minimalEdit(before, withoutBom(edit.after));
    const change = new vscode.WorkspaceEdit();
    change.replace(document.uri, new vscode.Range(document.positionAt(start), document.positionAt(end)), text);
    signal.throwIfAborted();
    if (!(await vscode.workspace.applyEdit(change))) {
      throw failure('edit.notApplied', `${edit.path} could not be edited.`, 'Check that the file is not read-only and try again.');
    }
    if (!(await document.save())) {
      throw failure('edit.notApplied', `${edit.path} is edited but could not be saved.`, 'Save it in the editor, or undo the change.');
    }
  }
}

/** The editor keeps a byte order mark out of the text and puts it back when it saves. */
const withoutBom = (text: string): string => (text.startsWith('\ufeff') ? text.slice(1) : text);
