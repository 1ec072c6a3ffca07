import { spawn } from 'node:child_process';
import { mkdir, open, rm, writeFile } from 'node:fs/promises';
import { devNull } from 'node:os';
import { join } from 'node:path';
import { failure } from '../../base/errors.js';

/** Nothing here comes from the user's or the repository's configuration, and nothing in it can run a program or change a byte. */
const config = `[core]
\trepositoryformatversion = 0
\tbare = false
\tautocrlf = false
\tsafecrlf = false
\tfsmonitor = false
\tuntrackedCache = false
\thooksPath = ${devNull.replaceAll('\\', '\\\\')}
\tattributesFile = ${devNull.replaceAll('\\', '\\\\')}
\texcludesFile = ${devNull.replaceAll('\\', '\\\\')}
\tlogAllRefUpdates = false
\tlooseCompression = 1
[gc]
\tauto = 0
[maintenance]
\tauto = false
[protocol]
\tallow = never
[submodule]
\trecurse = false
`;
/** Before every .gitattributes of the repository: no filter, no line ends, no encoding, no keyword. */
const attributes = '* !text !crlf !eol !ident !filter !working-tree-encoding\n';

/** Bytes that a command may write: the names of all files of a very large folder, or one file. */
const mostOutput = 64 * 1024 * 1024;

export interface ShadowGitOptions {
  /** The git program. */
  readonly program: string;
  /** Outside of the workspace; ours alone. */
  readonly gitDir: string;
  readonly root: string;
  readonly path: string | undefined;
}

/**
 * Git's plumbing over a workspace folder, with a repository of our own: the user's is neither read nor written. No hook, filter, pager,
 * monitor or configured program can be reached, whatever lies in the folder.
 */
export class ShadowGit {
  private ready: Promise<void> | undefined;

  constructor(private readonly options: ShadowGitOptions) {}

  get root(): string {
    return this.options.root;
  }

  /** What git ignores here beside the .gitignore files. */
  async exclude(patterns: string): Promise<void> {
    await this.prepare();
    await writeFile(join(this.options.gitDir, 'info', 'exclude'), patterns, { mode: 0o600 });
  }

  /** Standard output. `under`: a folder below the root taken by itself, with an index of nothing. Throws `git.unavailable`, or `tool.failed`. */
  async run(args: readonly string[], { input, under }: { readonly input?: string | Buffer; readonly under?: string } = {}): Promise<Buffer> {
    await this.prepare();
    const { program, gitDir, root, path } = this.options;
    const tree = under === undefined ? root : join(root, under);
    // Started from our folder, so that a program of the same name in the workspace is never found.
    const child = spawn(program, ['-C', tree, '--literal-pathspecs', '--no-replace-objects', ...args], {
      cwd: gitDir, windowsHide: true, stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        PATH: path, SystemRoot: process.env['SystemRoot'], LC_ALL: 'C', HOME: gitDir, XDG_CONFIG_HOME: gitDir,
        GIT_DIR: gitDir, GIT_WORK_TREE: tree, GIT_INDEX_FILE: join(gitDir, under === undefined ? 'index' : 'no-index'),
        GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_SYSTEM: devNull, GIT_CONFIG_GLOBAL: devNull, GIT_ATTR_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0',
        GIT_AUTHOR_NAME: 'Loupe', GIT_AUTHOR_EMAIL: 'loupe@localhost', GIT_COMMITTER_NAME: 'Loupe', GIT_COMMITTER_EMAIL: 'loupe@localhost',
      },
    });
    return new Promise((resolve, reject) => {
      const output: Buffer[] = [];
      let errors = '';
      let bytes = 0;
      child.stdout.on('data', (chunk: Buffer) => {
        output.push(chunk);
        bytes += chunk.length;
        if (bytes > mostOutput) child.kill('SIGKILL');
      });
      child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
        if (errors.length < 4_000) errors += chunk;
      });
      child.on('error', (error) => reject(failure('git.unavailable', 'Git could not be started.', 'Install Git to be able to undo turns.', error)));
      child.on('close', (code) => {
        if (bytes > mostOutput) reject(failure('tool.failed', 'The folder has too many files: turns in it cannot be undone.', 'Put what need not be kept into .gitignore.'));
        else if (code === 0) resolve(Buffer.concat(output));
        else reject(failure('tool.failed', `Git failed (${args[0] ?? ''}).`, 'Look into the Loupe log.', errors.trim()));
      });
      child.stdin.on('error', () => undefined); // it ended before it had read all: its exit status says why
      child.stdin.end(input ?? '');
    });
  }

  /** Names out of a list that git wrote with -z. */
  async names(args: readonly string[], under?: string): Promise<string[]> {
    return (await this.run(args, under === undefined ? {} : { under })).toString('utf8').split('\0').filter((name) => name !== '');
  }

  private prepare(): Promise<void> {
    return (this.ready ??= this.create().catch((thrown: unknown) => {
      this.ready = undefined;
      throw thrown;
    }));
  }

  /** Made by hand: `git init` would copy templates, hooks among them. */
  private async create(): Promise<void> {
    const { gitDir } = this.options;
    for (const folder of ['objects', 'refs', 'info']) await mkdir(join(gitDir, folder), { recursive: true, mode: 0o700 });
    await writeFile(join(gitDir, 'config'), config, { mode: 0o600 });
    await writeFile(join(gitDir, 'info', 'attributes'), attributes, { mode: 0o600 });
    await (await open(join(gitDir, 'HEAD'), 'a', 0o600)).close();
    await writeFile(join(gitDir, 'HEAD'), 'ref: refs/heads/none\n');
    await rm(join(gitDir, 'index.lock'), { force: true }); // of a process that was killed: nobody else works here
  }
}
