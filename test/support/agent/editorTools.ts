import { rgPath } from '@vscode/ripgrep';
import { standardTools } from '../../../src/agent/tools/standardTools.js';
import type { Tool } from '../../../src/agent/tools/tool.js';
import { NodeWorkspace } from '../../../src/agent/workspace/nodeWorkspace.js';

/** All tools of the editor over a folder, with no problem in it and a user who rejects whatever is proposed. */
export function editorTools(folder: string): { readonly files: NodeWorkspace; readonly tools: readonly Tool[] } {
  const files = new NodeWorkspace(folder, rgPath);
  const refused = (): never => {
    throw new Error('nothing may be changed or run here');
  };
  const workspace = {
    root: files.root, diagnostics: () => Promise.resolve([]), listFiles: files.listFiles.bind(files), readFile: files.readFile.bind(files),
    searchText: files.searchText.bind(files), findSymbol: files.findSymbol.bind(files),
  };
  return { files, tools: standardTools({ workspace, approvals: { request: () => Promise.resolve('rejected') }, edits: { apply: refused }, commands: { run: refused, isolation: refused } }, 'full') };
}
