import { createHash } from 'node:crypto';
import * as z from 'zod';

/** One server as its configuration has it, variables and all. */
export type ServerLaunch =
  | { readonly kind: 'stdio'; readonly command: string; readonly args: readonly string[]; readonly env: Readonly<Record<string, string>>; readonly cwd?: string }
  | { readonly kind: 'http'; readonly url: string; readonly headers: Readonly<Record<string, string>> };

export interface ServerConfig {
  readonly name: string;
  /** Who wrote it: the user's settings, or `.vscode/mcp.json` of a folder, which anybody may have written. */
  readonly origin: 'user' | 'workspace';
  readonly launch: ServerLaunch;
  readonly enabled: boolean;
  /** Tools that need no approval for each call. Of the user's settings only. */
  readonly alwaysAllow: readonly string[];
}

export interface ParsedServers { readonly servers: readonly ServerConfig[]; readonly problems: readonly string[] }

const text = z.string().max(32_768);
const values = z.record(text, z.union([text, z.number(), z.boolean(), z.null()]));
const common = { enabled: z.boolean().optional(), alwaysAllow: z.array(text).max(1_000).optional() };
const stdio = z.object({ ...common, type: z.literal('stdio').optional(), command: text.min(1), args: z.array(text).max(1_000).optional(), env: values.optional(), cwd: text.min(1).optional(), envFile: z.undefined('is not read: name what the server needs under env').optional() });
const http = z.object({ ...common, type: z.enum(['http', 'streamable-http']).optional(), url: text.min(1), headers: values.optional() });

/** Servers of a settings value, or of the part `servers` of a file. One that does not fit is a problem, said in a sentence; the others count. */
export function parseServers(value: unknown, origin: ServerConfig['origin']): ParsedServers {
  if (value === undefined) return { servers: [], problems: [] };
  const all = z.record(text, z.unknown()).safeParse(value);
  if (!all.success) return { servers: [], problems: ['The servers must be an object of names.'] };
  const servers: ServerConfig[] = [];
  const problems: string[] = [];
  for (const [name, entry] of Object.entries(all.data)) {
    const isHttp = typeof entry === 'object' && entry !== null && 'url' in entry;
    const parsed = (isHttp ? http : stdio).safeParse(entry);
    if (!parsed.success) {
      problems.push(`The server ${JSON.stringify(name)} does not fit: ${parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'entry'}: ${message}`).join('; ')}.`);
      continue;
    }
    const { data } = parsed;
    const launch: ServerLaunch = 'url' in data ? { kind: 'http', url: data.url, headers: asText(data.headers) }
      : { kind: 'stdio', command: data.command, args: data.args ?? [], env: asText(data.env), ...(data.cwd === undefined ? {} : { cwd: data.cwd }) };
    servers.push({ name, origin, launch, enabled: data.enabled !== false, alwaysAllow: origin === 'user' ? data.alwaysAllow ?? [] : [] });
  }
  return { servers, problems };
}

/** The servers of the user's settings and of a folder's file. Of one name the user's counts: a folder must not take its place. */
export function mergeServers(user: ParsedServers, workspace: ParsedServers): ParsedServers {
  const names = new Set(user.servers.map(({ name }) => name));
  const shadowed = workspace.servers.filter(({ name }) => names.has(name));
  return {
    servers: [...user.servers, ...workspace.servers.filter(({ name }) => !names.has(name))],
    problems: [...user.problems, ...workspace.problems, ...shadowed.map(({ name }) => `The server ${JSON.stringify(name)} of .vscode/mcp.json is not used: your settings have one of that name.`)],
  };
}

/**
 * What an approval is bound to: everything that decides what is started or reached, and what lies in the workspace and is named there, by content (`files`).
 * The order of environment variables and headers says nothing; that of arguments does.
 */
export function launchHash(launch: ServerLaunch, files: Readonly<Record<string, string>> = {}): string {
  const sorted = (record: Readonly<Record<string, string>>): readonly (readonly [string, string])[] => Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
  const parts = launch.kind === 'stdio' ? ['stdio', launch.command, launch.args, sorted(launch.env), launch.cwd ?? null] : ['http', launch.url, sorted(launch.headers)];
  return createHash('sha256').update(JSON.stringify([...parts, sorted(files)])).digest('hex');
}

const asText = (record: z.infer<typeof values> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(record).flatMap(([key, value]) => (value === null ? [] : [[key, String(value)]])));
