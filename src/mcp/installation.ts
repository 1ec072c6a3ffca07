import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where ripgrep is, beside the bundle or in the packages while developing, and the version of Loupe. */
export function findInstallation(entryUrl: string): { readonly ripgrep: string; readonly version: string } {
  const here = dirname(fileURLToPath(entryUrl));
  const name = process.platform === 'win32' ? 'rg.exe' : 'rg';
  const beside = join(here, '..', 'bin', name);
  const ripgrep = existsSync(beside) ? beside : createRequire(entryUrl).resolve(`@vscode/ripgrep-${process.platform}-${process.arch}/bin/${name}`);
  for (let folder = here; folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    if (existsSync(file)) return { ripgrep, version: String((JSON.parse(readFileSync(file, 'utf8')) as { version?: unknown }).version) };
  }
  return { ripgrep, version: '0' };
}
