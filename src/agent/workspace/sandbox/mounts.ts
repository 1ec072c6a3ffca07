import { existsSync } from 'node:fs';
import { lstat, readFile, readdir, readlink, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';

/** Programs and what they need of the system. Everything else of the machine is not there. */
const systemFolders = ['/usr', '/opt', '/nix', '/snap', '/home/linuxbrew'];
const systemLinks = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];
/** What programs look up in /etc. The rest of it holds passwords, keys and the configuration of services. */
const etc = [
  'alternatives', 'bash.bashrc', 'ca-certificates', 'ca-certificates.conf', 'debian_version', 'fonts', 'gai.conf', 'group', 'host.conf', 'hosts', 'java', 'ld.so.cache', 'ld.so.conf',
  'ld.so.conf.d', 'locale.alias', 'locale.conf', 'localtime', 'lsb-release', 'machine-id', 'magic', 'mime.types', 'nsswitch.conf', 'os-release', 'passwd', 'perl', 'pki/ca-trust',
  'pki/java', 'pki/tls/certs', 'profile', 'protocols', 'python3', 'resolv.conf', 'services', 'ssl/certs', 'ssl/openssl.cnf', 'timezone',
].map((name) => `/etc/${name}`);
/** Tool chains that people install in their home. None of these holds credentials. */
const inHome = [
  '.bun/bin', '.bun/install/global', '.cargo/bin', '.cargo/registry', '.deno/bin', '.dotnet', '.local/bin', '.local/lib', '.local/share/pnpm', '.local/share/uv', '.nvm', '.pyenv', '.rbenv',
  '.rustup', '.sdkman', '.volta', 'go/bin', 'go/pkg', 'miniconda3', 'anaconda3', '.m2/repository',
];

/** Folders of the system and of the user's tools, read-only, as arguments of bubblewrap. `home`: the user's, which is empty otherwise. */
export async function toolMounts(home: string, path: string): Promise<readonly string[]> {
  const args: string[] = [];
  for (const folder of systemFolders) if (existsSync(folder)) args.push('--ro-bind', folder, folder);
  for (const folder of systemLinks) {
    const stats = await lstat(folder).catch(() => undefined); // not every system has each
    if (stats?.isSymbolicLink()) args.push('--symlink', await readlink(folder), folder);
    else if (stats) args.push('--ro-bind', folder, folder);
  }
  for (const file of etc) args.push('--ro-bind-try', file, file);
  args.push('--tmpfs', '/tmp', '--tmpfs', '/run', '--tmpfs', '/var/tmp', '--tmpfs', home);
  for (const folder of inHome) args.push('--ro-bind-try', join(home, folder), join(home, folder));
  for (const folder of await pathFolders(path)) args.push('--ro-bind-try', folder, folder);
  return args;
}

/** Where programs of PATH lie beside the folders above. Of what a `bin` belongs to only the libraries come along: beside them may lie credentials. */
async function pathFolders(path: string): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const entry of path.split(':')) {
    if (!isAbsolute(entry)) continue; // a relative one is the workspace's
    const folder = await realpath(entry).catch(() => undefined); // PATH names what is not there, too
    if (folder === undefined || [...systemFolders, ...systemLinks].some((known) => isWithin(known, folder))) continue;
    found.add(folder);
    if (basename(folder) === 'bin') for (const name of ['lib', 'lib64', 'libexec']) found.add(join(dirname(folder), name));
  }
  return [...found];
}

/** Configurations of git, of these repositories below `root`, that hold a password or a token for a server. Git does without them while a command runs. */
export async function gitCredentials(root: string, repositories: readonly string[]): Promise<readonly string[]> {
  const names = repositories.map((name) => `${name}/config`);
  const texts = await Promise.all(names.map((name) => readFile(join(root, name), 'utf8').catch(() => ''))); // a linked repository has none
  return names.filter((_, index) => /:\/\/[^\s/@]*@|extraheader|password|token/i.test(texts[index] ?? ''));
}

/** Folders directly in the root, for repositories that come to be in them. */
export async function foldersIn(root: string): Promise<readonly string[]> {
  return (await readdir(root, { withFileTypes: true })).filter((entry) => entry.isDirectory() && entry.name !== '.git').map(({ name }) => name);
}

/** Whether `inner` is `outer` or lies in it. */
export function isWithin(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(outer.endsWith('/') ? outer : `${outer}/`);
}
