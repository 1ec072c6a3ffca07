import type { Approval, Decision, FileEdit } from '../protocol/agentEvents.js';

/** What the agent's tools need from their host. The extension adds unsaved buffers, diagnostics and language servers; the command line has files only. */
export interface WorkspacePort {
  /** Absolute path of the workspace folder. */
  readonly root: string;
  /** Paths relative to the root, forward slashes, sorted; ignored files left out. */
  listFiles(options: { readonly glob?: string; readonly under?: string; readonly limit: number }, signal: AbortSignal): Promise<{ readonly paths: readonly string[]; readonly truncated: boolean }>;
  /** Text of a file, unsaved changes included. Throws a LoupeFailure: `path.notFound`, `path.outsideWorkspace`. */
  readFile(path: string, signal: AbortSignal): Promise<string>;
  searchText(options: { readonly pattern: string; readonly regex: boolean; readonly caseSensitive: boolean; readonly glob?: string; readonly limit: number }, signal: AbortSignal): Promise<{ readonly matches: readonly TextMatch[]; readonly truncated: boolean }>;
  findSymbol(name: string, limit: number, signal: AbortSignal): Promise<readonly SymbolMatch[]>;
  /** Undefined where there is no editor to know them. */
  diagnostics(path: string | undefined, signal: AbortSignal): Promise<readonly Diagnostic[] | undefined>;
}

export interface TextMatch { readonly path: string; readonly line: number; readonly text: string }
export interface SymbolMatch { readonly path: string; readonly line: number; readonly kind: string; readonly name: string; readonly text: string }
export interface Diagnostic { readonly path: string; readonly line: number; readonly severity: 'error' | 'warning' | 'info'; readonly message: string; readonly source?: string }

/** Asks the user. Resolves when they decide, rejects with an AbortError when the turn is cancelled. */
export interface ApprovalPort {
  request(approval: Approval, signal: AbortSignal): Promise<Decision>;
}

export interface EditPort {
  /** Writes the edit if the file still has `beforeHash`; otherwise throws a LoupeFailure `edit.changedOnDisk`. */
  apply(edit: FileEdit, signal: AbortSignal): Promise<void>;
}

/** What keeps a command from reaching beyond the workspace folder. `why`: why nothing does, a sentence. */
export type Isolation = { readonly kind: 'sandbox'; readonly network: boolean } | { readonly kind: 'none'; readonly why: string };

export interface CommandPort {
  /** How a command can be confined here. */
  isolation(): Promise<Isolation>;
  /**
   * Runs in the workspace folder, output capped by the port. With less than `isolation` it does not run at all: that is what was allowed.
   * `made`: protected files that were not there before.
   */
  run(command: string, isolation: Isolation, signal: AbortSignal): Promise<{ readonly made: readonly string[]; readonly exitCode: number | null; readonly output: string; readonly truncated: boolean; readonly timedOut: boolean }>;
}
