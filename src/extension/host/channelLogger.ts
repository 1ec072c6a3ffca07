import type { LogOutputChannel } from 'vscode';
import type { Logger } from '../../base/logger.js';

/** Writes structured log lines to the output channel "Loupe"; its level is the user's to choose there. */
export function channelLogger(channel: LogOutputChannel): Logger {
  return {
    log(level, message, fields) {
      const line = fields === undefined ? message : `${message} ${safeJson(fields)}`;
      channel[level](line);
    },
  };
}

function safeJson(fields: Readonly<Record<string, unknown>>): string {
  try {
    return JSON.stringify(fields);
  } catch (error) {
    return `(fields not printable: ${String(error)})`; // a cycle in a log field must not fail the caller
  }
}
