import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';
import { messageOf } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import { ClientService } from './service.js';

/** Standard output belongs to the window. */
const logger: Logger = {
  log: (level, message, fields) => {
    if (level !== 'debug') process.stderr.write(`${level}: ${message}${fields === undefined ? '' : ` ${JSON.stringify(fields)}`}\n`);
  },
};

/**
 * Entry of the process that holds a window's connections to MCP servers. It reads no file and no setting: the window says what to start. The version of
 * Loupe is its one argument. It ends with the window, and all servers end with it.
 */
async function main(): Promise<void> {
  const rpc = createMessageConnection(new StreamMessageReader(process.stdin), new StreamMessageWriter(process.stdout));
  const service = new ClientService(rpc, process.argv[2] ?? '0', logger);
  const ended = new Promise<void>((resolve) => {
    process.stdin.once('end', resolve).once('close', resolve);
    process.once('SIGTERM', resolve).once('SIGINT', resolve);
    rpc.onClose(resolve);
  });
  rpc.onError(([error]) => logger.log('error', 'The window sends what cannot be read', { error: error.message }));
  rpc.listen();
  await ended;
  await service.close();
}

// A window that is gone closes the pipe; that is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => logger.log(error.code === 'EPIPE' ? 'debug' : 'error', error.message));
try {
  await main();
  process.exit(0); // whatever a server still holds open
} catch (thrown) {
  logger.log('error', messageOf(thrown));
  process.exit(1);
}
