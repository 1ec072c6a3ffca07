import { rm, stat } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import { type LoupeError, makeError } from '../../base/errors.js';
import { readPrivateJson, writePrivateJson } from './stateFiles.js';

/** Loads of one file that ended the model process: after so many it is not loaded again. One may have had another reason. */
const mostCrashes = 2;
/** Files that are remembered; the oldest go first. */
const mostFiles = 50;

const schema = z.array(z.object({ file: z.string(), crashes: z.number().int().positive() }));
type Entries = z.infer<typeof schema>;

/**
 * Model files that ended the process while they were loaded, as a damaged or hostile one may do: each start of the editor would do so again. On disk, for all
 * windows of one build of Loupe; a file that changed is another one, and the user can let all of them go.
 */
export class ModelQuarantine {
  /** @param file absolute; of the user alone */
  constructor(private readonly file: string) {}

  /** What to say instead of loading this file. */
  async refusal(modelPath: string): Promise<LoupeError | undefined> {
    const known = await identity(modelPath);
    const entry = (await this.read()).find((one) => one.file === known);
    if (entry === undefined || entry.crashes < mostCrashes) return undefined;
    return makeError('model.quarantined', `${path.basename(modelPath)} ended the model process each time it was loaded, so Loupe leaves it alone.`,
      'Delete the file and download it again, choose another model, or run "Loupe: Restart Sidecar" to try it once more.', undefined, { path: modelPath, crashes: entry.crashes });
  }

  async crashed(modelPath: string): Promise<void> {
    const file = await identity(modelPath);
    const entries = await this.read();
    const crashes = (entries.find((one) => one.file === file)?.crashes ?? 0) + 1;
    await this.write([...entries.filter((one) => one.file !== file), { file, crashes }].slice(-mostFiles));
  }

  async loaded(modelPath: string): Promise<void> {
    const entries = await this.read();
    if (entries.length === 0) return;
    const file = await identity(modelPath);
    if (entries.some((one) => one.file === file)) await this.write(entries.filter((one) => one.file !== file));
  }

  clear(): Promise<void> {
    return rm(this.file, { force: true });
  }

  private async read(): Promise<Entries> {
    const parsed = schema.safeParse(await readPrivateJson(this.file));
    return parsed.success ? parsed.data : [];
  }

  private write(entries: Entries): Promise<void> {
    return writePrivateJson(this.file, entries, process.pid);
  }
}

/** A file by where it is and what can be seen of its content without reading it. */
async function identity(modelPath: string): Promise<string> {
  const { size, mtimeMs } = await stat(modelPath).catch(() => ({ size: 0, mtimeMs: 0 })); // a file that is gone is the sidecar's to report
  return `${path.resolve(modelPath)} ${size} ${mtimeMs}`;
}
