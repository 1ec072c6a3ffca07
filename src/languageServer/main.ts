import { join } from 'node:path';
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { systemClock } from '../base/clock.js';
import type { Logger, LogLevel } from '../base/logger.js';
import { changeCounts } from '../context/index/changeCounts.js';
import { IndexService } from '../context/index/indexService.js';
import { openStore } from '../context/store/sqliteStore.js';
import { removeStore, storeFile } from '../context/store/storeFile.js';
import { TreeSitterParser } from '../context/symbols/parser.js';
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
  createIndex: ({ grammars, storage }, editor) => {
    return new IndexService({
      openStore: (root) => openStore(storeFile(storage, root), logger),
      removeStore: (root) => removeStore(storeFile(storage, root)),
      parser: new TreeSitterParser((name) => join(grammars, name), logger),
      files: editor.files, openFiles: (root) => editor.openFiles(root), changeCounts, clock: systemClock, logger,
    });
  },
});
connection.listen();
