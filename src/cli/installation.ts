import { existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Installation {
  readonly sidecar: string;
  readonly ripgrep: string;
  /** Changes with every build of the sidecar: two builds never share one. */
  readonly build: string;
}

/** Where the other parts of Loupe are: beside the bundle, or in the compiler's output while developing. */
export function findInstallation(entryUrl: string): Installation {
  const here = dirname(fileURLToPath(entryUrl));
  const bundled = join(here, '..', 'sidecar', 'main.mjs');
  const sidecar = existsSync(bundled) ? bundled : join(here, '..', 'sidecar', 'main.js');
  const name = process.platform === 'win32' ? 'rg.exe' : 'rg';
  const beside = join(here, '..', 'bin', name);
  const ripgrep = existsSync(beside) ? beside : createRequire(entryUrl).resolve(`@vscode/ripgrep-${process.platform}-${process.arch}/bin/${name}`);
  const { size, mtimeMs } = statSync(sidecar);
  return { sidecar, ripgrep, build: `${version(here)}-${size}-${Math.floor(mtimeMs)}` };
}

function version(here: string): string {
  for (let folder = here; folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    if (existsSync(file)) return String((JSON.parse(readFileSync(file, 'utf8')) as { version?: unknown }).version);
  }
  return '0';
}
