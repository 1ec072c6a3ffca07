export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Structured log. Never a protocol stream: processes write it to stderr and to a file. */
export interface Logger {
  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export const silentLogger: Logger = { log: () => undefined };
