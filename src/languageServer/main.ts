import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { systemClock } from '../base/clock.js';
import type { Logger, LogLevel } from '../base/logger.js';
import { SidecarSupervisor } from '../model/sidecar/supervisor.js';
import { serve } from './server.js';

/** Entry of the language server process. Speaks LSP over the transport named on its command line (`--stdio`). */
const connection = createConnection(ProposedFeatures.all);

const write: Readonly<Record<LogLevel, (text: string) => void>> = {
  debug: (text) => connection.console.debug(text),
  info: (text) => connection.console.info(text),
  warn: (text) => connection.console.warn(text),
  error: (text) => connection.console.error(text),
};
const logger: Logger = {
  log: (level, message, fields) => write[level](fields === undefined ? message : `${message} ${JSON.stringify(fields)}`),
};

serve(connection, {
  clock: systemClock,
  logger,
  createEngine: ({ sidecar }) => new SidecarSupervisor({ ...sidecar, client: 'inline', logger, clock: systemClock }),
});
connection.listen();
