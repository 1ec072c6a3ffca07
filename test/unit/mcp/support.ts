import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { NodeWorkspace } from '../../../src/agent/workspace/nodeWorkspace.js';
import { silentLogger } from '../../../src/base/logger.js';
import { NodeGit } from '../../../src/mcp/git/nodeGit.js';
import { ChangeFeed } from '../../../src/mcp/changeFeed.js';
import { createServer } from '../../../src/mcp/server.js';
import { FolderWorkspace } from '../../../src/mcp/workspace/folderWorkspace.js';
import type { ServedWorkspace } from '../../../src/mcp/workspace/port.js';
import { ripgrep } from '../agent/support/folder.js';

export const folderWorkspace = (root: string): ServedWorkspace => new FolderWorkspace(new NodeWorkspace(root, ripgrep), silentLogger);

/** The SDK's own client on a server in this process. */
export async function connected(workspace: ServedWorkspace): Promise<Client> {
  const [mine, theirs] = InMemoryTransport.createLinkedPair();
  const server = createServer({ workspace, git: new NodeGit(workspace.root), changes: new ChangeFeed(workspace, silentLogger), version: '1.2.3', logger: silentLogger, newId: randomUUID });
  const client = new Client({ name: 'unit', version: '1' });
  await Promise.all([server.connect(theirs), client.connect(mine)]);
  return client;
}

/** A repository with one commit of what is there. */
export function commitAll(root: string, message = 'First'): void {
  const git = (...args: readonly string[]): void => {
    execFileSync('git', ['-c', 'user.name=Ann', '-c', 'user.email=ann@example.com', '-c', 'init.defaultBranch=main', '-c', 'commit.gpgSign=false', ...args], { cwd: root, stdio: 'ignore' });
  };
  git('init');
  git('add', '--all', '--force');
  git('commit', '--message', message);
}
