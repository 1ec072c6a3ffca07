import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { randomBytes, randomUUID } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { NodeWorkspace } from '../agent/workspace/nodeWorkspace.js';
import { realFolder } from '../agent/workspace/realFolder.js';
import { endpointOf, httpAddressFile, readHttpAddress, writeHttpAddress } from '../agent/window/httpAddress.js';
import { openFolders } from '../agent/window/windowAddress.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { cacheRoot } from '../model/paths.js';
import { help, parseArguments, type ServeOptions } from './args.js';
import { NodeGit } from './git/nodeGit.js';
import { HttpServer } from './http/httpServer.js';
import { ChangeFeed } from './changeFeed.js';
import { findInstallation } from './installation.js';
import { createServer } from './server.js';
import { FolderWorkspace } from './workspace/folderWorkspace.js';
import type { ServedWorkspace } from './workspace/port.js';
import { WindowClient } from './workspace/windowClient.js';
import { WindowWorkspace } from './workspace/windowWorkspace.js';

const exitCodes = { done: 0, failed: 1, usage: 2 } as const;

/** Standard output belongs to the protocol. */
const logger: Logger = {
  log: (level, message, fields) => {
    if (level !== 'debug') process.stderr.write(`${level}: ${message}${fields === undefined ? '' : ` ${JSON.stringify(fields)}`}\n`);
  },
};

/** Where windows and this process tell each other addresses. */
const stateDir = (): string => join(cacheRoot(), 'run');

/** Entry of the MCP server. Configured by its arguments and the user's environment only, never by the folder that it serves. */
async function main(): Promise<number> {
  const parsed = parseArguments(process.argv.slice(2));
  if (parsed.kind === 'help') {
    process.stdout.write(help);
    return exitCodes.done;
  }
  if (parsed.kind === 'usage') {
    process.stderr.write(`${parsed.problem}\n\n${help}`);
    return exitCodes.usage;
  }
  const { options } = parsed;
  const { ripgrep, version } = findInstallation(import.meta.url);
  const opened = await openWorkspace(options, ripgrep);
  if (opened === undefined) {
    process.stderr.write(`There is no folder ${options.folder ?? options.window ?? '.'}.\n`);
    return exitCodes.failed;
  }
  const { workspace, close } = opened;
  const changes = new ChangeFeed(workspace, logger);
  const session = (): McpServer => createServer({ workspace, git: new NodeGit(workspace.root), changes, version, logger, newId: randomUUID });
  try {
    await (options.http ? serveHttp(session, workspace.root, options.port) : serveStdio(session));
  } finally {
    close();
  }
  return exitCodes.done;
}

/** Until the client closes its end. */
async function serveStdio(session: () => McpServer): Promise<void> {
  const server = session();
  const ended = new Promise<void>((resolve) => {
    process.stdin.once('end', resolve).once('close', resolve);
    const closed = server.server.onclose;
    server.server.onclose = () => { // what no client may send, a message without end, closes the connection and leaves the input open
      closed?.();
      resolve();
    };
  });
  await server.connect(new StdioServerTransport());
  await ended;
  await server.close(); // ends what still runs
}

/** Until the window that started this process is gone, or somebody stops it. */
async function serveHttp(session: () => McpServer, folder: string, port: number): Promise<void> {
  const known = await readHttpAddress(stateDir(), folder);
  const token = known?.token ?? randomBytes(32).toString('hex');
  const server = await HttpServer.listen(port === 0 ? known?.port ?? 0 : port, { token, session, newId: randomUUID, logger });
  await writeHttpAddress(stateDir(), { port: server.port, token, folder });
  process.stderr.write(`${endpointOf(server.port)} serves ${folder}; the token is in ${httpAddressFile(stateDir(), folder)}\n`);
  process.send?.({ port: server.port });
  await new Promise<void>((resolve) => {
    process.once('disconnect', resolve).once('SIGINT', resolve).once('SIGTERM', resolve);
  });
  await server.close();
}

async function openWorkspace({ folder, window }: ServeOptions, ripgrep: string): Promise<{ readonly workspace: ServedWorkspace; readonly close: () => void } | undefined> {
  if (folder !== undefined) {
    const root = await realFolder(folder);
    if (root === undefined) return undefined;
    const workspace = new FolderWorkspace(new NodeWorkspace(root, ripgrep), logger);
    return { workspace, close: () => workspace.dispose() };
  }
  const attached = window === undefined ? await fittingFolder() : await realFolder(window);
  if (attached === undefined) return undefined;
  const client = new WindowClient(stateDir(), attached);
  return { workspace: new WindowWorkspace(client), close: () => client.dispose() };
}

/** The open folder that the current one lies in, the deepest of several; else the only open one; else the current folder, for when it is opened. */
async function fittingFolder(): Promise<string> {
  const here = await realpath('.');
  const open = await openFolders(stateDir());
  const around = open.filter((folder) => here === folder || here.startsWith(folder + sep)).sort((a, b) => b.length - a.length);
  return around[0] ?? (open.length === 1 && open[0] !== undefined ? open[0] : here);
}

// A client that is gone closes the pipe; that is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? exitCodes.done : exitCodes.failed));
try {
  process.exitCode = await main();
} catch (thrown) {
  logger.log('error', messageOf(thrown));
  process.exitCode = exitCodes.failed;
}
