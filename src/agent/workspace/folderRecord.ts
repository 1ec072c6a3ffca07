import { access, constants, lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { failure } from '../../base/errors.js';
import { isSecretPath } from '../../base/secretPaths.js';
import type { Entry } from './entries.js';
import type { ShadowGit } from './shadowGit.js';

/** Bytes of a file beyond which it is not recorded, bytes that one record may add, and files that a folder may have. */
export interface RecordLimits { readonly fileBytes: number; readonly newBytes: number; readonly files: number }
export const recordLimits: RecordLimits = { fileBytes: 4 * 1024 * 1024, newBytes: 256 * 1024 * 1024, files: 30_000 };

/** A path that differs between two records: git's mode and object id on either side, undefined where it is not there. */
export interface Difference { readonly path: string; readonly before: ObjectRef | undefined; readonly after: ObjectRef | undefined }
export interface ObjectRef { readonly mode: string; readonly id: string }

/** Files looked at together. */
const atOnce = 64;

/**
 * Records of a workspace folder as git trees. Byte for byte; not recorded are git's own data, ignored files, files that may hold
 * credentials, and files over the limit. What did not change since the last record is not read again.
 */
export class FolderRecord {
  constructor(private readonly git: ShadowGit, private readonly limits = recordLimits) {}

  /** The id of a tree. Throws `tool.failed` when the folder is beyond the limits, `git.unavailable` without git. */
  async take(): Promise<string> {
    await this.git.exclude(await this.ownExcludes());
    const fresh = await this.unknownFiles();
    const changed = await this.git.names(['ls-files', '-z', '--modified', '--deleted']);
    const ignored = await this.git.names(['ls-files', '-z', '--cached', '--ignored', '--exclude-standard']);
    const looked = await this.sorted([...new Set([...fresh, ...changed])]);
    const gone = [...ignored, ...looked.leftOut];
    if (gone.length > 0) await this.git.run(['update-index', '-z', '--force-remove', '--stdin'], { input: list(gone) });
    if (looked.taken.length > 0) await this.git.run(['update-index', '-z', '--add', '--remove', '--replace', '--stdin'], { input: list(looked.taken) });
    return (await this.git.run(['write-tree'])).toString('utf8').trim();
  }

  async differences(before: string, after: string): Promise<readonly Difference[]> {
    if (before === after) return [];
    const parts = await this.git.names(['diff-tree', '-r', '-z', '--raw', '--no-renames', '--no-ext-diff', '--no-textconv', before, after]);
    const found: Difference[] = [];
    for (let i = 0; i + 1 < parts.length; i += 2) {
      const [, oldMode = '', newMode = '', oldId = '', newId = ''] = /^:(\d+) (\d+) ([0-9a-f]+) ([0-9a-f]+) /.exec(parts[i] ?? '') ?? [];
      const ref = (mode: string, id: string): ObjectRef | undefined => (mode === '000000' ? undefined : { mode, id });
      found.push({ path: parts[i + 1] ?? '', before: ref(oldMode, oldId), after: ref(newMode, newId) });
    }
    return found;
  }

  /** What a record holds of a path. */
  async entry(ref: ObjectRef | undefined): Promise<Entry | undefined> {
    if (!ref) return undefined;
    return { kind: ref.mode === '120000' ? 'link' : 'file', executable: ref.mode === '100755', content: await this.git.run(['cat-file', 'blob', ref.id]) };
  }

  /** Files that the last record does not know. A repository inside of the folder is listed as one name: its files are asked for by themselves. */
  private async unknownFiles(): Promise<string[]> {
    const files: string[] = [];
    const nested: (string | undefined)[] = [undefined];
    for (const under of nested) {
      for (const name of await this.git.names(['ls-files', '-z', '--others', '--exclude-standard'], under)) {
        const path = under === undefined ? name : `${under}/${name}`;
        if (path.endsWith('/')) nested.push(path.slice(0, -1));
        else files.push(path);
        if (files.length > this.limits.files) throw tooLarge(`more than ${this.limits.files.toLocaleString('en-US')} files`);
      }
    }
    return files;
  }

  private async sorted(paths: readonly string[]): Promise<{ readonly taken: readonly string[]; readonly leftOut: readonly string[] }> {
    const taken: string[] = [];
    const leftOut: string[] = [];
    let bytes = 0;
    for (let from = 0; from < paths.length; from += atOnce) {
      const part = paths.slice(from, from + atOnce);
      const sizes = await Promise.all(part.map((path) => this.sizeOf(path)));
      for (const [index, path] of part.entries()) {
        const size = sizes[index];
        if (size === undefined || size > this.limits.fileBytes) leftOut.push(path);
        else taken.push(path);
        bytes += size !== undefined && size <= this.limits.fileBytes ? size : 0;
      }
      if (bytes > this.limits.newBytes) throw tooLarge(`more than ${Math.round(this.limits.newBytes / 1024 / 1024)} MiB of new text`);
    }
    return { taken, leftOut };
  }

  /** Undefined for what is not to be recorded; 0 for what is gone. */
  private async sizeOf(path: string): Promise<number | undefined> {
    if (isSecretPath(path)) return undefined;
    const absolute = join(this.git.root, path);
    try {
      const stats = await lstat(absolute);
      if (stats.isSymbolicLink()) return 0;
      if (!stats.isFile()) return undefined;
      await access(absolute, constants.R_OK);
      return stats.size;
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') return 0;
      return undefined; // not readable: git could not record it either
    }
  }

  /** What the user's clone ignores beside the .gitignore files. A file of patterns; nothing of it is run. */
  private async ownExcludes(): Promise<string> {
    try {
      return (await readFile(join(this.git.root, '.git', 'info', 'exclude'), 'utf8')).slice(0, 64 * 1024);
    } catch {
      return ''; // no repository, or a linked one
    }
  }
}

const list = (names: readonly string[]): string => names.map((name) => `${name}\0`).join('');

const tooLarge = (what: string): Error => failure('tool.failed', `The folder has ${what}: turns in it cannot be undone.`, 'Put what need not be kept into .gitignore.');
