import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { cacheRoot } from '../../../src/model/paths.js';

export interface LlamaServer {
  readonly origin: string;
  readonly child: ChildProcess;
  stop(): Promise<void>;
}

interface ServerScript { ensureLlamaServer(input: { cacheRoot: string }): Promise<string> }

/** The binary from the cache; built from source, which takes minutes, when `npm run setup` has not done so. */
export async function llamaServerBinary(): Promise<string> {
  const script = (await import(pathToFileURL(path.resolve('scripts/lib/llamaServer.mjs')).href)) as ServerScript;
  return script.ensureLlamaServer({ cacheRoot: cacheRoot() });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Starts a real llama.cpp server on the loopback interface and waits until its model is loaded. `more`: further arguments, which count instead of the same ones here. */
export async function startLlamaServer(input: { binary: string; model: string; contextSize: number; apiKey: string; more?: readonly string[] }): Promise<LlamaServer> {
  const port = await freePort();
  const child = spawn(input.binary, [
    '--model', input.model, '--ctx-size', String(input.contextSize), '--parallel', '1', '--host', '127.0.0.1', '--port', String(port), '--api-key', input.apiKey, '--jinja', '--no-warmup',
    '--threads', '1', // more of them spin while they wait for each other, which takes minutes on a busy machine
    ...input.more ?? [],
  ], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-4000)));
  const origin = `http://127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  for (let waited = 0; waited < 90_000; waited += 250) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`llama-server ended with ${child.exitCode ?? child.signalCode}:\n${log}`);
    const health = await fetch(`${origin}/health`).catch(() => undefined);
    if (health?.ok) return { origin, child, stop };
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  await stop();
  throw new Error(`llama-server did not become ready:\n${log}`);
}
