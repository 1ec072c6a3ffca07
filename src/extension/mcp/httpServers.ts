import { type ChildProcess, fork } from 'node:child_process';
import type { Disposable } from '../../base/disposable.js';
import { messageOf } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';

export interface HttpServersDeps {
  /** The bundle of the MCP server. */
  readonly module: string;
  /** Real paths of the folders to serve; none where it is switched off. */
  readonly folders: () => Promise<readonly string[]>;
  readonly logger: Logger;
}

/** A process that ends sooner after its start is not started again by itself. */
const soonMs = 10_000;

/** One process for each folder that is served over HTTP: listening and its parsing stay out of the extension host. Each ends with this host. */
export class HttpServers implements Disposable {
  private readonly running = new Map<string, ChildProcess>();
  private last: Promise<void> = Promise.resolve();
  private disposed = false;

  constructor(private readonly deps: HttpServersDeps) {}

  /** Starts and ends processes as the folders and the settings want it. Never rejects. */
  update(): Promise<void> {
    this.last = this.last.then(async () => {
      const wanted = this.disposed ? [] : await this.deps.folders();
      for (const [folder, child] of this.running) if (!wanted.includes(folder)) this.stop(folder, child);
      for (const folder of wanted) if (!this.running.has(folder)) this.start(folder);
    }).catch((error: unknown) => {
      this.deps.logger.log('error', 'The MCP server for HTTP could not be started', { error: messageOf(error) });
    });
    return this.last;
  }

  dispose(): void {
    this.disposed = true;
    for (const [folder, child] of this.running) this.stop(folder, child);
  }

  private stop(folder: string, child: ChildProcess): void {
    this.running.delete(folder);
    child.kill();
  }

  private start(folder: string): void {
    const { logger } = this.deps;
    // On the desktop this host is Electron, which runs as Node.js only when told to.
    const child = fork(this.deps.module, ['--window', folder, '--http'], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'], execArgv: [], env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
    });
    const began = performance.now();
    this.running.set(folder, child);
    child.stderr?.setEncoding('utf8').on('data', (text: string) => logger.log('info', text.trim()));
    child.on('error', (error) => logger.log('error', 'The MCP server for HTTP failed', { folder, error: error.message }));
    child.on('exit', (code, signal) => {
      if (this.running.get(folder) !== child) return;
      this.running.delete(folder);
      const again = performance.now() - began > soonMs;
      logger.log('warn', 'The MCP server for HTTP ended', { folder, code, signal, again });
      if (again) void this.update(); // never rejects
    });
  }
}
