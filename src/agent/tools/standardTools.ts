import { makeError } from '../../base/errors.js';
import type { Zone } from '../../protocol/agentEvents.js';
import type { ApprovalPort, CommandPort, EditPort, WorkspacePort } from '../ports.js';
import type { Ledger } from './ledger.js';
import { findSymbol } from './findSymbol.js';
import { proposeEdit } from './proposeEdit.js';
import { diagnostics, listFiles, readFile } from './readTools.js';
import { runCommand } from './runCommand.js';
import { searchText } from './searchText.js';
import { errorResult, type Tool } from './tool.js';

/** What the tools reach. A tool without its port does not exist. */
export interface ToolPorts {
  readonly workspace: WorkspacePort;
  readonly approvals?: ApprovalPort;
  readonly edits?: EditPort;
  readonly commands?: CommandPort;
}

/**
 * The tools of this version, in a fixed order so that prompts stay byte-stable. In zone `zero` the tools that write or run
 * are still there, refuse, and are not offered to the model (`offeredTools`): a model that calls one learns why.
 */
export function standardTools(ports: ToolPorts, zone: Zone): readonly Tool[] {
  const { workspace, approvals, edits, commands } = ports;
  const ledger: Ledger = new Map();
  const tools = [listFiles(workspace), readFile(workspace), searchText(workspace), findSymbol(workspace), diagnostics(workspace)];
  if (zone === 'zero') tools.push(refusing('propose_edit', 'write'), refusing('run_command', 'execute'));
  else {
    if (approvals && edits) tools.push(proposeEdit({ workspace, approvals, edits }, ledger));
    if (approvals && commands) tools.push(runCommand({ workspace, approvals, commands }, ledger));
  }
  return tools;
}

function refusing(name: string, toolClass: 'write' | 'execute'): Tool {
  const error = makeError('tool.refused', `${name} is not allowed here: nothing may be changed or run.`, 'Describe what you would do instead.');
  return {
    class: toolClass, reach: () => Promise.resolve({ path: 'workspace' }), definition: { name, description: 'Not available here.', parameters: { type: 'object', properties: {} } },
    run: () => Promise.resolve(errorResult(error, 'refused')),
  };
}
