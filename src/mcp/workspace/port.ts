import type { WorkspacePort } from '../../agent/ports.js';
import type { RelatedFiles } from '../../protocol/context.js';
import type { EffectOutcome, FileSymbol, OpenEditor, Place, ReferenceList, WorkspaceChanges } from '../../protocol/window.js';

/** What the tools read: the agent's port, and besides what only some workspaces know. */
export interface ServedWorkspace extends WorkspacePort {
  /** A file's text, and whether it has changes that are not on disk. Throws as `readFile` does. */
  read(path: string, signal: AbortSignal): Promise<{ readonly text: string; readonly unsaved: boolean }>;
  /** Where what stands at `place` is used, else where the name is. At most `limit`. */
  references(of: { readonly name: string; readonly place?: Place }, limit: number, signal: AbortSignal): Promise<ReferenceList>;
  /** What changed after the answer that said `after`; waits until something has. Without it: from where to ask, at once. */
  changes(after: string | undefined, signal: AbortSignal): Promise<WorkspaceChanges>;
  /** Undefined where there is no window: then nothing can be changed, run or asked. */
  readonly window?: WindowActions;
}

/** Who asks, for the user to read, and the name of the call: the same call never takes effect twice. */
export interface Caller { readonly client: string; readonly call: string }

/** What only a window can do. Whatever has an effect is shown to the user there, and waits for their decision. */
export interface WindowActions {
  /** What a file defines, from top to bottom, as its language server says; empty where none knows the language. */
  fileSymbols(path: string, signal: AbortSignal): Promise<readonly FileSymbol[]>;
  openEditors(signal: AbortSignal): Promise<readonly OpenEditor[]>;
  /** Files that have to do with names and paths, by the index of the repository; without any, with what the user works on. */
  related(about: readonly string[], limit: number, signal: AbortSignal): Promise<RelatedFiles>;
  proposeEdit(edit: { readonly path: string; readonly old?: string; readonly new: string }, caller: Caller, signal: AbortSignal): Promise<EffectOutcome>;
  runCommand(command: string, caller: Caller, signal: AbortSignal): Promise<EffectOutcome>;
  tasks(signal: AbortSignal): Promise<readonly { readonly name: string; readonly source: string; readonly group?: string }[]>;
  runTask(name: string, source: string | undefined, caller: Caller, signal: AbortSignal): Promise<EffectOutcome>;
}
