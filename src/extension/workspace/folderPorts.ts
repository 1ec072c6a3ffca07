import type * as vscode from 'vscode';
import type { FileBatches } from '../../agent/workspace/fileBatch.js';
import { systemClock } from '../../base/clock.js';
import { load } from '../host/load.js';
import type { UserSettings } from '../host/userSettings.js';
import type { FolderPorts } from './agentPorts.js';

export interface FolderPortsDeps {
  readonly settings: Pick<UserSettings, 'get'>;
  /** The packaged ripgrep; absolute path. */
  readonly ripgrep: string;
  /** Where this window keeps what belongs to it; absolute path. */
  readonly storage: string;
}

export interface PortsOfFolders {
  readonly of: (folder: vscode.WorkspaceFolder) => FolderPorts;
  /** The batches of edits of a folder, by its path. */
  readonly batches: (root: string) => FileBatches;
}

/** Turns of a folder that can be undone. */
const turnsToUndo = 50;

/** What the agent's tools work with in each folder of this window. */
export async function portsOfFolders({ settings, ripgrep, storage }: FolderPortsDeps): Promise<PortsOfFolders> {
  const { createHash } = await load(() => import('node:crypto'));
  const { homedir } = await load(() => import('node:os'));
  const path = await load(() => import('node:path'));
  const { EditorWorkspace } = await load(() => import('./editorWorkspace.js'));
  const { EditorEdits } = await load(() => import('../approvals/editorEdits.js'));
  const { NodeWorkspace } = await load(() => import('../../agent/workspace/nodeWorkspace.js'));
  const { NodeEdits } = await load(() => import('../../agent/workspace/nodeEdits.js'));
  const { Checkpoints } = await load(() => import('../../agent/workspace/checkpoints.js'));
  const { FileBatches: Batches } = await load(() => import('../../agent/workspace/fileBatch.js'));
  const { FolderRecord } = await load(() => import('../../agent/workspace/folderRecord.js'));
  const { ShadowGit } = await load(() => import('../../agent/workspace/shadowGit.js'));
  const { Bubblewrap } = await load(() => import('../../agent/workspace/sandbox/bubblewrap.js'));
  const { NodeCommands } = await load(() => import('../../agent/workspace/nodeCommands.js'));

  const sandbox = new Bubblewrap({ program: 'bwrap', ripgrep, home: homedir(), path: process.env['PATH'] ?? '' });
  const commandSettings = (): { sandbox: boolean; network: boolean } => ({ sandbox: settings.get('loupe.commands.sandbox') === 'auto', network: settings.get('loupe.commands.network') });
  /** What is recorded of a folder lies outside of it, where no tool and no command of a model reaches. */
  const records = (root: string): string => path.join(storage, 'folders', createHash('sha256').update(root).digest('hex').slice(0, 16));
  const known = new Map<string, FileBatches>();
  const batches = (root: string): FileBatches => {
    const made = known.get(root) ?? new Batches(root, path.join(records(root), 'batches'));
    known.set(root, made);
    return made;
  };
  return {
    batches,
    of: (folder) => {
      const root = folder.uri.fsPath;
      const workspace = new EditorWorkspace(folder, new NodeWorkspace(root, ripgrep));
      const git = new ShadowGit({ program: 'git', gitDir: path.join(records(root), 'checkpoints.git'), root, path: process.env['PATH'] });
      return {
        workspace, edits: new EditorEdits(workspace, new NodeEdits(root)), commands: new NodeCommands({ root, env: process.env, sandbox, settings: commandSettings }),
        checkpoints: new Checkpoints({ git, record: new FolderRecord(git), batches: batches(root), clock: systemClock, keep: turnsToUndo }),
      };
    },
  };
}
