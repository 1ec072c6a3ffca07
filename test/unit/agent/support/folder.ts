import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { rgPath } from '@vscode/ripgrep';

export const ripgrep = rgPath;

/** A temporary folder with files in `root`, and room beside it for what must not be reached. */
export async function withFolder(files: Readonly<Record<string, string | Buffer>>, use: (root: string, outside: string) => Promise<void>): Promise<void> {
  const base = await realpath(await mkdtemp(join(tmpdir(), 'loupe-agent-')));
  try {
    const root = join(base, 'app');
    await mkdir(root);
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), content);
    }
    await use(root, base);
  } finally {
    await rm(base, { recursive: true, force: true });
  }
}

/** The code of the LoupeFailure that the promise rejects with; `ok` when it does not. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'ok';
  } catch (thrown) {
    return (thrown as { error?: { code?: string } }).error?.code ?? String(thrown);
  }
}
