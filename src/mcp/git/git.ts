/** What the tools need of Git. Paths are relative to the served folder, forward slashes; files that hold credentials do not appear. */
export interface Git {
  status(signal: AbortSignal): Promise<GitStatus>;
  /** Throws `git.noRepository`, `tool.badArguments` for a revision that is none. */
  diff(options: { readonly staged: boolean; readonly revision?: string; readonly path?: string }, signal: AbortSignal): Promise<{ readonly diff: string; readonly files: readonly string[]; readonly truncated: boolean }>;
  log(options: { readonly path?: string; readonly revision?: string; readonly skip: number; readonly limit: number }, signal: AbortSignal): Promise<readonly Commit[]>;
  /** Who wrote each line of `text`, which is the file as it is in the editor. 1-based, both ends included. */
  blame(options: { readonly path: string; readonly text: string; readonly startLine: number; readonly endLine: number }, signal: AbortSignal): Promise<readonly BlamedLine[]>;
}

export interface GitStatus {
  /** Undefined on a detached head. */
  readonly branch?: string;
  readonly upstream?: string;
  readonly ahead?: number;
  readonly behind?: number;
  readonly changes: readonly GitChange[];
}

export type ChangeKind = 'added' | 'modified' | 'deleted' | 'renamed' | 'copied' | 'typeChanged' | 'untracked' | 'conflicted';
export interface GitChange {
  readonly path: string;
  readonly staged?: ChangeKind;
  readonly unstaged?: ChangeKind;
  /** Where a renamed or copied file was. */
  readonly from?: string;
}

export interface Commit { readonly hash: string; readonly author: string; readonly date: string; readonly subject: string }
/** `hash` is absent for lines that are not committed. */
export interface BlamedLine { readonly line: number; readonly hash?: string; readonly author?: string; readonly date?: string; readonly summary?: string; readonly text: string }
