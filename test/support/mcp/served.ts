import { type ChildProcess, spawn } from 'node:child_process';
import { realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { readHttpAddress } from '../../../src/agent/window/httpAddress.js';

/** The shipped bundle. */
export const bundle = resolve('dist/mcp/main.mjs');

export interface Place {
  /** Options that say what is served. */
  readonly args: readonly string[];
  readonly folder: string;
  /** The cache folder, whose `run` holds addresses. */
  readonly cache: string;
}

const environment = (cache: string): Record<string, string> => ({ PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', LOUPE_CACHE: cache });

export async function overStdio({ args, cache }: Place, name = 'test'): Promise<Client> {
  const client = new Client({ name, version: '1' });
  await client.connect(new StdioClientTransport({ command: process.execPath, args: [bundle, ...args], env: environment(cache), stderr: 'ignore' }));
  return client;
}

export interface HttpProcess { readonly url: string; readonly port: number; readonly token: string; readonly child: ChildProcess; stop(): Promise<void> }

/** Starts the bundle with `--http` and waits until it listens. */
export async function startHttp({ args, folder, cache }: Place): Promise<HttpProcess> {
  const child = spawn(process.execPath, [bundle, ...args, '--http'], { env: environment(cache), stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = new Promise<void>((done) => child.once('exit', () => done()));
  const said = await new Promise<string>((done, reject) => {
    let text = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('the token is in')) done(text);
    });
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${text}`)));
  });
  const address = await readHttpAddress(join(cache, 'run'), await realpath(folder));
  if (!address) throw new Error(`no address: ${said}`);
  return {
    url: `http://127.0.0.1:${address.port}/mcp`, port: address.port, token: address.token, child,
    stop: async () => {
      child.kill();
      await exited;
    },
  };
}

export async function overHttp({ url, token }: Pick<HttpProcess, 'url' | 'token'>, name = 'test'): Promise<Client> {
  const client = new Client({ name, version: '1' });
  const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: { Authorization: `Bearer ${token}` } } });
  await client.connect(transport);
  return client;
}

export interface Called { readonly text: string; readonly data: Record<string, unknown>; readonly failed: boolean }

/** A call whose result the client has checked against the tool's output schema. */
export async function callTool(client: Client, name: string, args: Record<string, unknown> = {}, signal?: AbortSignal): Promise<Called> {
  const result = await client.callTool({ name, arguments: args }, undefined, signal ? { signal } : undefined);
  const [first] = result.content as readonly { type: string; text: string }[];
  return { text: first?.text ?? '', data: (result.structuredContent ?? {}) as Record<string, unknown>, failed: result.isError === true };
}
