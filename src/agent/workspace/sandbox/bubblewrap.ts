import { execFile } from 'node:child_process';
import { lstat, mkdir, readlink, realpath, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { failure } from '../../../base/errors.js';
import { isSecretPath } from '../../../base/secretPaths.js';
import { protectedReason } from '../protectedPaths.js';
import { runRipgrep } from '../ripgrep.js';
import { foldersIn, gitCredentials, isWithin, toolMounts } from './mounts.js';
import type { Confined, Sandbox } from './sandbox.js';

export interface BubblewrapOptions {
  readonly program: string;
  readonly ripgrep: string;
  readonly home: string;
  readonly path: string;
  readonly platform?: NodeJS.Platform;
}

/** Folders that configure tools which run by themselves. */
const guarded = ['.git', '.vscode', '.cursor', '.claude', '.github', '.idea', '.husky', '.devcontainer', '.loupe'];
/** Those that the editor acts on at once: where one is missing, an empty one stands in its place while a command runs. */
const stoodInFor = ['.git', '.vscode'];
/** Protected files of a folder that are kept one by one. */
const mostFiles = 2_000;
const probeMs = 5_000;
const confinedAlways = [
  '--die-with-parent', '--new-session', '--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try', '--cap-drop', 'ALL',
];

/**
 * Linux: bubblewrap, with a root made of what is listed instead of one with holes. The home is empty but for tool chains, so credentials,
 * agents' sockets and our own files are not there; the workspace folder can be written, its protected files only read, its secrets neither.
 */
export class Bubblewrap implements Sandbox {
  private probed: Promise<string | undefined> | undefined;
  /** Nothing in the sandbox can make namespaces of its own, where this bubblewrap knows how (0.8). */
  private extra: readonly string[] = ['--disable-userns'];

  constructor(private readonly options: BubblewrapOptions) {}

  problem(): Promise<string | undefined> {
    return (this.probed ??= this.probe());
  }

  async confine(root: string, command: string, network: boolean): Promise<Confined> {
    const { program, home, path } = this.options;
    const real = await realpath(root);
    if (isWithin(real, await realpath(home).catch(() => home)) || isWithin(real, '/usr') || isWithin(real, '/etc')) {
      throw failure('tool.failed', 'The workspace folder holds your home folder or the system: commands cannot be confined to it.', 'Open the folder of a repository.');
    }
    const before = await this.special(real);
    const folders = await isThere(real, guarded);
    const links = await linksAmong(real);
    const stands: string[] = [];
    const guards: string[] = [];
    for (const name of guarded) {
      const folder = join(real, name);
      // Bound by the name of a link, what it leads to would be there, wherever that is.
      const place = links.has(name) ? await realpath(folder).catch(() => '') : folder;
      if (stoodInFor.includes(name) && place === folder && await made(folder)) stands.push(folder);
      if (place !== real && isWithin(real, place) && await lstat(place).catch(() => undefined)) guards.push('--ro-bind', place, place);
    }
    const files = [...before.guarded.flatMap((name) => ['--ro-bind', join(real, name), join(real, name)]), ...before.secret.flatMap((name) => ['--ro-bind', '/dev/null', join(real, name)])];
    return {
      program,
      args: [
        ...confinedAlways, ...this.extra, ...(network ? [] : ['--unshare-net']), ...await toolMounts(home, path), '--proc', '/proc', '--dev', '/dev',
        '--bind', real, real, ...guards, ...files, '--chdir', real, '--', '/bin/sh', '-c', command,
      ],
      leave: async () => {
        for (const folder of stands) await rmdir(folder).catch(() => undefined); // somebody put something there: theirs
        const known = new Set([...before.secret, ...before.guarded, ...folders]);
        const after = await this.special(real);
        const now = await linksAmong(real);
        // A link itself cannot be kept from being replaced.
        const replaced = [...links].filter(([name, target]) => now.get(name) !== target).map(([name]) => name);
        return [...replaced, ...await isThere(real, guarded), ...after.secret, ...after.guarded].filter((name) => !known.has(name));
      },
    };
  }

  private async probe(): Promise<string | undefined> {
    const { program, platform = process.platform, home, path } = this.options;
    if (platform !== 'linux') return 'there is none for this system yet.';
    try {
      await promisify(execFile)(program, [...confinedAlways, ...this.extra, '--unshare-net', ...await toolMounts(home, path), '--proc', '/proc', '--dev', '/dev', '--', '/bin/sh', '-c', ':'], { timeout: probeMs });
      return undefined;
    } catch (thrown) {
      const { code, stderr = '' } = thrown as NodeJS.ErrnoException & { stderr?: string };
      if (this.extra.length > 0 && stderr.includes('disable-userns')) {
        this.extra = [];
        return this.probe();
      }
      if (code === 'ENOENT') return 'bubblewrap is not installed.';
      return `bubblewrap does not work here (${stderr.trim().split('\n').at(-1)?.slice(0, 200) || 'no message'}).`;
    }
  }

  /** Secrets, protected files outside of the guarded folders, and repositories in folders of the root. Ignored files too: secrets mostly are. */
  private async special(root: string): Promise<{ readonly secret: readonly string[]; readonly guarded: readonly string[] }> {
    const secret: string[] = [];
    const files: string[] = [];
    await runRipgrep(this.options.ripgrep, root, ['--files', '--null', '--hidden', '--no-ignore', '--glob=!.git', '--glob=!node_modules', '--', './'], '\0', (line) => {
      const name = line.replace(/^\.\//, '');
      if (isSecretPath(name)) secret.push(name);
      else if (protectedReason(name) !== undefined && !guarded.includes(name.split('/')[0] ?? '')) files.push(name);
      return secret.length + files.length <= mostFiles;
    }, new AbortController().signal);
    if (secret.length + files.length > mostFiles) {
      throw failure('tool.failed', `The folder has more than ${mostFiles.toLocaleString('en-US')} protected files: commands cannot be confined to it.`, 'Open a smaller folder.');
    }
    const repositories = await isThere(root, (await foldersIn(root)).map((name) => `${name}/.git`));
    return { secret: await isThere(root, [...secret.sort(), ...await gitCredentials(root, ['.git', ...repositories])]), guarded: [...await isThere(root, files.sort()), ...repositories] };
  }
}

/** Names that are there, and are no links: one of those would bring along what it leads to. */
async function isThere(root: string, names: readonly string[]): Promise<readonly string[]> {
  const there = await Promise.all(names.map(async (name) => (await lstat(join(root, name)).catch(() => undefined))?.isSymbolicLink() === false));
  return names.filter((_, index) => there[index]);
}

/** Guarded names that are links, with where they lead. */
async function linksAmong(root: string): Promise<ReadonlyMap<string, string>> {
  const targets = await Promise.all(guarded.map(async (name) => [name, await readlink(join(root, name)).catch(() => undefined)] as const));
  return new Map(targets.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** Makes an empty folder. False where something is there already. */
async function made(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw thrown;
  }
}
