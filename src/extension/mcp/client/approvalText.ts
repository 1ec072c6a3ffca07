import { revealHidden } from '../../../base/hiddenText.js';
import type { ServerConfig } from './serverConfig.js';
import { variablesOf } from './variables.js';

/** A run of blanks pushes what follows out of sight; any blank at an end, or other white space, is easy to overlook. */
const visible = (text: string): string => revealHidden(text).text
  .replace(/\r/g, '\\r').replace(/\n/g, '\\n').replace(/\t/g, '\\t')
  .replace(/ {3,}/g, (run) => ` [${run.length} blanks] `);

/** One argument, as a line of its own shows it: in quotes where its ends would not be seen. */
const word = (text: string): string => (/^[^\s"'`$]+$/.test(text) && revealHidden(text).count === 0 ? text : JSON.stringify(visible(text)).replace(/\\\\(u\{|[nrt])/g, '\\$1'));

/**
 * Everything that an approval is for, a line each: the program and every argument, environment variables with their values, the folder, or the address and its
 * headers. Values stand as they are written; what is read from the user's own environment is named, so that nobody sends a key away unawares.
 */
export function serverLines({ launch }: Pick<ServerConfig, 'launch'>, files: Readonly<Record<string, string>> = {}): readonly string[] {
  const pairs = (what: string, record: Readonly<Record<string, string>>): readonly string[] => Object.entries(record).map(([name, value]) => `${what} ${word(name)}: ${word(value)}`);
  const read = variablesOf(launch).filter((name) => name.startsWith('env:')).map((name) => `reads ${word(name.slice('env:'.length))} of your environment`);
  const named = Object.entries(files).map(([path, hash]) => `file ${word(path)}, as it is now (${hash.slice(0, 12)})`);
  return launch.kind === 'stdio'
    ? [`program: ${word(launch.command)}`, ...launch.args.map((arg, index) => `argument ${index + 1}: ${word(arg)}`), ...pairs('environment', launch.env), ...(launch.cwd === undefined ? [] : [`folder: ${word(launch.cwd)}`]), ...read, ...named]
    : [`address: ${word(launch.url)}`, ...pairs('header', launch.headers), ...read];
}

/** The command line, or the address, on one line, for lists. */
export function serverLine({ launch }: Pick<ServerConfig, 'launch'>): string {
  return launch.kind === 'stdio' ? [launch.command, ...launch.args].map(word).join(' ') : word(launch.url);
}
