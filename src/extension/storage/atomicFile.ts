import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Replaces a file as a whole: after a crash it holds the old text or the new, never a part. Creates missing folders. */
export async function writeFileAtomic(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  await mkdir(dirname(path), { recursive: true });
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(text, 'utf8');
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

const leftoverMs = 3_600_000;

/** Removes what writes of killed processes left below a folder. A write takes no hour: nobody is still at those. */
export async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder, { recursive: true })) {
    if (!/\.[0-9a-f-]{36}\.tmp$/.test(name)) continue;
    const path = join(folder, name);
    const written = await stat(path).catch(() => undefined); // its writer was quicker
    if (written !== undefined && Date.now() - written.mtimeMs > leftoverMs) await rm(path, { force: true });
  }
}

export type ReadJson<T> = { readonly found: true; readonly value: T } | { readonly found: false; readonly setAside?: string };

/**
 * Reads JSON that `check` accepts. A file that cannot be understood is renamed to `<name>.corrupt`, so that nothing is
 * lost and the next write starts afresh; `setAside` then names it.
 */
export async function readJson<T>(path: string, check: (value: unknown) => value is T): Promise<ReadJson<T>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { found: false };
    throw error;
  }
  const value = parse(text);
  if (check(value)) return { found: true, value };
  const setAside = `${path}.corrupt`;
  await rename(path, setAside);
  return { found: false, setAside };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // told apart from valid JSON by `check`, which accepts no undefined
  }
}

/**
 * Runs writes of one file one after the other and skips those that a later one overtakes: a streaming answer asks for
 * many saves, of which only the newest counts.
 */
export class LatestWriter {
  private readonly pending = new Map<string, () => string>();
  private readonly running = new Map<string, Promise<void>>();

  /** Resolves when this text, or a later one for the same path, is on disk. `text` is evaluated when its write starts. */
  write(path: string, text: () => string): Promise<void> {
    this.pending.set(path, text);
    const running = this.running.get(path);
    if (running) return running;
    const work = this.drain(path).finally(() => this.running.delete(path));
    this.running.set(path, work);
    return work;
  }

  async idle(): Promise<void> {
    while (this.running.size > 0) await Promise.allSettled([...this.running.values()]);
  }

  private async drain(path: string): Promise<void> {
    for (let text = this.take(path); text; text = this.take(path)) await writeFileAtomic(path, text());
  }

  private take(path: string): (() => string) | undefined {
    const text = this.pending.get(path);
    this.pending.delete(path);
    return text;
  }
}
