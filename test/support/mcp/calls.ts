export type Calls = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Every tool of a folder that holds `a.ts` with a function `load`, with arguments that it answers. */
export const folderCalls: Calls = {
  list_files: {}, read_file: { path: 'a.ts' }, search_text: { pattern: 'load' }, find_symbol: { name: 'load' }, find_references: { name: 'load' },
  git_status: {}, git_diff: {}, git_log: {}, git_blame: { path: 'a.ts' },
};

/** Those of a window besides. */
export const windowCalls: Calls = {
  ...folderCalls, related_files: { about: 'load' }, file_symbols: { path: 'a.ts' }, diagnostics: {}, open_editors: {}, propose_edit: { path: 'a.ts', new: 'x' }, list_tasks: {}, run_task: { name: 'build' }, run_command: { command: 'npm test' },
};
