import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Profile } from './profile.js';

/** The programs of the browser workbench; absolute paths. */
export interface Tools {
  readonly codeServer: string;
  /** A Node that code-server can run on. */
  readonly node: string;
  readonly chromium: string;
}

interface Launched {
  readonly pid: number;
  /** Everything the process and its children wrote so far. */
  readonly log: () => string;
  /** Settles with the exit status when the process has ended. */
  readonly exited: Promise<number>;
}

function launch(tools: Tools, profile: Profile, args: readonly string[]): Launched {
  const isolated = ['--config', '/dev/null', '--user-data-dir', profile.userData, '--extensions-dir', profile.extensions];
  // An empty gallery address: nothing is asked from outside. A process group of its own, so that no child outlives the test.
  const child = spawn(tools.node, [tools.codeServer, ...isolated, ...args], {
    env: { ...profile.env, EXTENSIONS_GALLERY: '{"serviceUrl":""}' }, detached: true, stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => { log += text; });
  const exited = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', code => resolve(code ?? 1));
  });
  return { pid: child.pid ?? 0, log: () => log, exited };
}

export async function installExtension(tools: Tools, profile: Profile, vsix: string): Promise<void> {
  const installer = launch(tools, profile, ['--install-extension', vsix]);
  if (await installer.exited !== 0) throw new Error(`installing ${vsix} failed\n${installer.log()}`);
}

export interface Server {
  /** `http://127.0.0.1:<port>` */
  readonly origin: string;
  readonly log: () => string;
  /** Rejects when the server, or an extension host of it, ends with an error; never resolves. */
  readonly failure: Promise<never>;
  stop(): Promise<void>;
}

const loopback = [
  '--auth', 'none', '--bind-addr', '127.0.0.1:0', '--disable-telemetry', '--disable-update-check',
  '--disable-getting-started-override', '--disable-proxy', '--ignore-last-opened',
];
// Without this a built workbench ignores the test part of the address.
const smokeTests = ['--vscode-option', 'enable-smoke-test-driver'];

export async function startServer(tools: Tools, profile: Profile, options: { trusted: boolean }): Promise<Server> {
  const process_ = launch(tools, profile, [...loopback, ...smokeTests, ...(options.trusted ? ['--disable-workspace-trust'] : [])]);
  let stopping = false;
  const failure = (async () => {
    const ended = process_.exited.then(code => `the server ended with exit status ${code}`);
    for (;;) {
      const said = await Promise.race([ended, sleep(500).then(() => /Extension Host Process exited with code: (?!0\b)[^\n]*/.exec(process_.log())?.[0])]);
      if (stopping) await new Promise<never>(() => undefined);
      if (said !== undefined) throw new Error(`${said}\n${process_.log().slice(-4000)}`);
    }
  })();
  failure.catch(() => undefined);
  const stop = async () => {
    stopping = true;
    // The main process ends its own children; what is left of the group after two seconds is killed.
    signal(process_.pid, 'SIGTERM');
    for (let waited = 0; waited < 20 && signal(-process_.pid, 0); waited++) await sleep(100);
    signal(-process_.pid, 'SIGKILL');
  };
  const deadline = Date.now() + 60_000;
  for (;;) {
    const origin = /listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(process_.log())?.[1];
    if (origin) return { origin, log: process_.log, failure, stop };
    if (Date.now() > deadline) {
      await stop();
      throw new Error(`code-server did not start within 60 s\n${process_.log()}`);
    }
    await Promise.race([sleep(50), failure]);
  }
}

/** true when the process, or with a negative id any process of the group, was there. */
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  if (pid === 0) return false;
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}
