import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { type JSONRPCMessage, JSONRPCMessageSchema } from '@modelcontextprotocol/sdk/types.js';
import type { ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import spawn from 'cross-spawn';
import { allowedEnvironment, killGroup } from '../../agent/workspace/childProcess.js';
import { failure, type LoupeError, makeError } from '../../base/errors.js';
import { type McpLaunchPlan, mcpLimits } from '../../protocol/mcpClient.js';
import { Lines } from './lines.js';
import type { ServerLog } from './serverLog.js';

/** How long a server may take to end when its input ends, and then when it is told to. */
const endGraceMs = 1_500;
const termGraceMs = 1_500;
/** Lines that are no messages: launchers greet on standard output, and some servers print there by mistake. */
const mostNoise = 100;

/**
 * A server as a child process. It leads a process group of its own, which is ended whole; its environment is a fresh one; a message that is too long, or none at all,
 * ends it before anything is parsed. The SDK's own transport has none of that.
 */
export class StdioTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  /** Why the connection ended, where it was not closed from here. */
  ended: LoupeError | undefined;
  private child: ChildProcessByStdio<Writable, Readable, Readable> | undefined;
  private closed: Promise<void> = Promise.resolve();
  private noise = 0;
  private closing = false;

  constructor(
    private readonly launch: Extract<McpLaunchPlan, { kind: 'stdio' }>, private readonly log: ServerLog, private readonly started: (pid: number) => void,
    private readonly env: Readonly<Record<string, string | undefined>> = process.env,
  ) {}

  get pid(): number | undefined {
    return this.child?.pid;
  }

  async start(): Promise<void> {
    const { command, args, env, cwd } = this.launch;
    const windows = process.platform === 'win32';
    // On Windows `npx` and its like are command files, which need a shell and their arguments quoted for it: cross-spawn knows how.
    const child = spawn(command, [...args], { cwd, env: { ...allowedEnvironment(this.env), ...env }, stdio: ['pipe', 'pipe', 'pipe'], detached: !windows, windowsHide: true }) as ChildProcessByStdio<Writable, Readable, Readable>;
    this.child = child;
    if (child.pid !== undefined) this.started(child.pid);
    const out = new Lines(mcpLimits.message, (line) => this.take(line));
    const errors = new Lines(mcpLimits.message, (line) => this.log.line(line));
    child.stdout.on('data', (chunk: Buffer) => {
      if (!this.ended && !out.add(chunk)) this.fail(makeError('mcp.tooMuch', `The server sent a message of more than ${mcpLimits.message / 1024 / 1024} MB; it was stopped.`, 'Ask the server for less, or report it to its author.'));
    });
    child.stderr.on('data', (chunk: Buffer) => {
      if (!this.ended && !errors.add(chunk)) this.fail(makeError('mcp.tooMuch', 'The server wrote a line without end to its log; it was stopped.', 'Report it to its author.'));
    });
    child.stdin.on('error', (error) => this.onerror?.(error)); // it is gone: `close` says why
    const spawned = new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => {
        const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'the program, or its folder, was not found' : error.message;
        reject(failure('mcp.notStarted', `${command} could not be started: ${why}.`, 'Check the command, and that the program is installed.', error));
      });
    });
    child.once('exit', () => killGroup(child, windows, 'SIGKILL')); // what it left behind holds our pipes open
    this.closed = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        if (!this.closing) this.ended ??= makeError('mcp.ended', `The server ended (${signal === null ? `exit code ${code}` : `signal ${signal}`}).`, 'Look into its log.');
        resolve();
        this.onclose?.();
      });
    });
    await spawned;
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const { child } = this;
    if (!child || child.exitCode !== null || this.ended) throw failure('mcp.ended', 'The server is not running.', 'Look into its log.');
    if (!child.stdin.write(`${JSON.stringify(message)}\n`)) await Promise.race([new Promise<void>((resolve) => child.stdin.once('drain', resolve)), this.closed]);
  }

  /** As the protocol wants it: its input ends, then it is told to end, then it is ended, with all that it started. */
  async close(): Promise<void> {
    const { child } = this;
    if (!child || this.closing) return this.closed;
    this.closing = true;
    child.stdin.end();
    if (child.pid === undefined) return; // it never started
    await this.endBy(this.ended ? 0 : endGraceMs, 'SIGTERM');
    await this.endBy(termGraceMs, 'SIGKILL');
    await this.closed;
  }

  private async endBy(ms: number, signal: NodeJS.Signals): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => { timer = setTimeout(() => resolve('late'), ms); });
    const how = await Promise.race([this.closed, late]);
    clearTimeout(timer);
    if (how === 'late' && this.child) killGroup(this.child, process.platform === 'win32', signal);
  }

  private take(line: string): void {
    if (this.ended || line.trim() === '') return;
    const message = parse(line);
    if (message) {
      this.onmessage?.(message);
      return;
    }
    this.log.line(`not a message: ${line}`);
    // What begins like a message and is none was meant as one: whoever waits for it would wait in vain.
    if (line.startsWith('{') || ++this.noise > mostNoise) {
      this.fail(makeError('mcp.badMessage', 'The server sent something that is no message of the protocol; it was stopped.', 'Look into its log: it may be no MCP server, or print to its standard output.', line.slice(0, 200)));
    }
  }

  private fail(error: LoupeError): void {
    this.ended ??= error;
    void this.close(); // never rejects
  }
}

function parse(line: string): JSONRPCMessage | undefined {
  try {
    return JSONRPCMessageSchema.parse(JSON.parse(line));
  } catch {
    return undefined; // told by the caller
  }
}
