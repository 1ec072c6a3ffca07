import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { ensureCodeServer } from './codeServer.mjs';
import { mustRun, run, which } from './exec.mjs';
import { note, Stop } from './log.mjs';
import { ensureNode24 } from './newerNode.mjs';
import { cacheRoot } from './paths.mjs';

const hasDisplay = () => process.platform !== 'linux' || Boolean(process.env.DISPLAY ?? process.env.WAYLAND_DISPLAY);

/** A profile of its own, so that trying Loupe touches no setting and no extension of yours. It is kept between runs. */
function isolatedProfile() {
  const folder = path.join(cacheRoot(), 'profile');
  const userData = path.join(folder, 'user-data');
  const settings = path.join(userData, 'User', 'settings.json');
  if (!fs.existsSync(settings)) {
    fs.mkdirSync(path.dirname(settings), { recursive: true });
    fs.writeFileSync(settings, `${JSON.stringify({ 'telemetry.telemetryLevel': 'off', 'extensions.autoCheckUpdates': false }, undefined, 2)}\n`);
  }
  return ['--user-data-dir', userData, '--extensions-dir', path.join(folder, 'extensions')];
}

/** The environment without what an enclosing VS Code would pass on. */
const ownEnvironment = () => Object.fromEntries(Object.entries(process.env)
  .filter(([name]) => !name.startsWith('VSCODE_') && !['PORT', 'ELECTRON_RUN_AS_NODE', 'NODE_OPTIONS', 'HASHED_PASSWORD'].includes(name)));

/** Installs the .vsix and opens `folder` with it: in desktop VS Code where there is one, else in a browser workbench on this machine. */
export async function openWorkbench(vsix, folder, port) {
  const code = which('code');
  if (code && hasDisplay()) return openDesktop(code, vsix, folder);
  if (process.platform === 'win32') {
    throw new Stop(`The extension is packaged: ${vsix}\nInstall VS Code and run this again, or install the file with "Extensions: Install from VSIX...".`);
  }
  return openBrowserWorkbench(vsix, folder, port);
}

async function openDesktop(code, vsix, folder) {
  const profile = isolatedProfile();
  // `code` is a .cmd file on Windows, which only a shell can start; then paths with spaces need quotes.
  const shell = process.platform === 'win32';
  const word = text => shell ? `"${text}"` : text;
  const start = args => mustRun('code', word(code), args.map(word), { env: ownEnvironment(), shell });
  await start([...profile, '--install-extension', vsix, '--force']);
  await start([...profile, '--new-window', folder]);
  note(`VS Code is open on ${folder}. Loupe is in the secondary side bar.`);
  return 0;
}

async function openBrowserWorkbench(vsix, folder, port) {
  const [entry, node] = [await ensureCodeServer(), await ensureNode24()];
  const profile = ['--config', path.join(cacheRoot(), 'profile', 'code-server.yaml'), ...isolatedProfile()];
  const password = randomBytes(9).toString('base64url');
  const env = { ...ownEnvironment(), PASSWORD: password };
  fs.writeFileSync(profile[1], 'disable-telemetry: true\ndisable-update-check: true\n');
  await mustRun('installing the extension', node, [entry, ...profile, '--install-extension', vsix, '--force'], { env });

  const server = spawn(node, [
    entry, ...profile, '--auth', 'password', '--bind-addr', `127.0.0.1:${port}`, '--disable-getting-started-override', folder,
  ], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [server.stdout, server.stderr]) stream.setEncoding('utf8').on('data', text => { log = (log + text).slice(-8000); });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => server.kill('SIGTERM'));

  const ended = new Promise(resolve => server.once('exit', resolve));
  const address = await Promise.race([listening(() => log), ended.then(() => undefined)]);
  if (!address) throw new Stop(`The workbench did not start.\n${log}\nIs the port taken? Choose another with --port.`);
  note(`\nLoupe is running in a VS Code workbench: open ${address} in a browser on this machine.\nPassword: ${password}\nEnd with Ctrl+C.`);
  if (hasDisplay()) await run(process.platform === 'darwin' ? 'open' : 'xdg-open', [address], { stdio: 'ignore' }).catch(() => undefined);
  else note(`From another machine, forward the port first: ssh -L ${port}:127.0.0.1:${port} <this machine>`);
  await ended;
  return 0;
}

async function listening(log) {
  for (;;) {
    const address = /listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(log())?.[1];
    if (address) return address;
    await new Promise(resolve => setTimeout(resolve, 100));
  }
}
