import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Stop } from './log.mjs';
import { root } from './paths.mjs';

/** Runs a program without a shell and resolves to its exit status; past `limitMs` it is killed, and the status is 124. */
export function run(command, args, { cwd = root, env = process.env, stdio = 'inherit', limitMs } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio });
    let late = false;
    const timer = limitMs && setTimeout(() => { late = true; child.kill('SIGKILL'); }, limitMs);
    child.once('error', reject);
    child.once('exit', code => {
      clearTimeout(timer);
      resolve(late ? 124 : code ?? 1);
    });
  });
}

/** Like {@link run}, but captures stdout and stderr together; `code` is the exit status. */
export function capture(command, args, { cwd = root, env = process.env, shell = false } = {}) {
  return new Promise(resolve => {
    let output = '';
    const child = spawn(command, args, { cwd, env, shell, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', text => { output += text; });
    child.once('error', error => resolve({ code: 127, output: error.message }));
    child.once('close', code => resolve({ code: code ?? 1, output }));
  });
}

/** Runs a program and stops with its output when it fails. */
export async function mustRun(what, command, args, options) {
  const { code, output } = await capture(command, args, options);
  if (code !== 0) throw new Stop(`${what} failed (exit status ${code}).\n${output.slice(-4000)}`);
  return output;
}

/** Path of a program on PATH, or undefined. */
export function which(name, env = process.env) {
  const endings = process.platform === 'win32' ? ['.exe', '.cmd', '.bat', ''] : [''];
  for (const folder of (env.PATH ?? '').split(path.delimiter)) {
    for (const ending of endings) {
      const file = path.join(folder, name + ending);
      try {
        fs.accessSync(file, fs.constants.X_OK);
        if (fs.statSync(file).isFile()) return file;
      } catch { /* not in this folder: look in the next */ }
    }
  }
  return undefined;
}

/**
 * How npm is started: by its own JavaScript file where that is found, because on Windows `npm` is a .cmd file, which only a
 * shell can start.
 */
function npmCommand() {
  const beside = path.join(path.dirname(process.execPath), 'node_modules', 'npm', 'bin', 'npm-cli.js');
  const entry = [process.env.npm_execpath, beside].find(file => file?.endsWith('npm-cli.js') && fs.existsSync(file));
  return entry ? [process.execPath, [entry]] : [which('npm') ?? 'npm', []];
}

export async function npm(args, options) {
  const [command, first] = npmCommand();
  return mustRun(`npm ${args.slice(0, 2).join(' ')}`, command, [...first, ...args], options);
}
