import { makeError } from '../../../base/errors.js';
import { err, ok, type Result } from '../../../base/result.js';
import type { McpLaunchPlan } from '../../../protocol/mcpClient.js';
import type { ServerLaunch } from './serverConfig.js';

export interface VariableValues { readonly folder: string; readonly home: string; readonly env: Readonly<Record<string, string | undefined>> }

const variable = /\$\{([^}]*)\}/g;

/** The variables that a configuration names, in their order. */
export function variablesOf(launch: ServerLaunch): readonly string[] {
  const texts = launch.kind === 'stdio' ? [launch.command, ...launch.args, ...Object.values(launch.env), launch.cwd ?? ''] : [launch.url, ...Object.values(launch.headers)];
  return [...new Set(texts.flatMap((text) => [...text.matchAll(variable)].map(([, name = '']) => name)))];
}

/** The configuration with its variables filled in. What an environment variable holds is never looked through for variables again. */
export function fillIn(launch: ServerLaunch, values: VariableValues): Result<McpLaunchPlan> {
  const wrong = variablesOf(launch).map((name) => problemOf(name, values)).filter((problem) => problem !== undefined);
  if (wrong.length > 0) return err(makeError('mcp.configuration', wrong.join(' '), 'Change the configuration of the server.'));
  const fill = (text: string): string => text.replace(variable, (_, name: string) => valueOf(name, values) ?? '');
  const fillAll = (record: Readonly<Record<string, string>>): Record<string, string> => Object.fromEntries(Object.entries(record).map(([key, text]) => [key, fill(text)]));
  return ok(launch.kind === 'stdio'
    ? { kind: 'stdio', command: fill(launch.command), args: launch.args.map(fill), env: fillAll(launch.env), cwd: launch.cwd === undefined ? values.folder : fill(launch.cwd) }
    : { kind: 'http', url: fill(launch.url), headers: fillAll(launch.headers) });
}

function valueOf(name: string, { folder, home, env }: VariableValues): string | undefined {
  if (name === 'workspaceFolder') return folder;
  if (name === 'userHome') return home;
  return name.startsWith('env:') ? env[name.slice('env:'.length)] : undefined;
}

function problemOf(name: string, values: VariableValues): string | undefined {
  if (name.startsWith('input:')) return `\${${name}} is not supported: keep the value in an environment variable and write \${env:NAME}.`;
  if (valueOf(name, values) !== undefined) return undefined;
  return name.startsWith('env:') ? `The environment variable ${name.slice('env:'.length)} is not set where the editor runs.` : `There is no variable \${${name}}.`;
}
