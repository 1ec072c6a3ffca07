import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A control group of its own for one process, so that the kernel itself kills it for want of memory. */
export class MemoryGroup {
  private constructor(private readonly folder: string, private readonly limitFile: string) {}

  /** Undefined where this user may not make control groups. */
  static async make(): Promise<MemoryGroup | undefined> {
    const groups = (await readFile('/proc/self/cgroup', 'utf8').catch(() => '')).split('\n');
    const of = (pattern: RegExp): string | undefined => groups.map((line) => pattern.exec(line)?.[1]).find((path) => path !== undefined);
    const v1 = of(/^\d+:memory:(.*)$/);
    const v2 = of(/^0::(.*)$/);
    const [root, own, limitFile] = v1 === undefined ? ['/sys/fs/cgroup', v2, 'memory.max'] : ['/sys/fs/cgroup/memory', v1, 'memory.limit_in_bytes'];
    if (own === undefined) return undefined;
    const folder = join(root, own, `loupe-test-${process.pid}`);
    try {
      await mkdir(folder);
      await readFile(join(folder, limitFile));
    } catch {
      return undefined; // not ours to make, or without a memory controller
    }
    return new MemoryGroup(folder, limitFile);
  }

  async add(pid: number): Promise<void> {
    await writeFile(join(this.folder, 'cgroup.procs'), String(pid));
  }

  async limit(bytes: number): Promise<void> {
    await writeFile(join(this.folder, this.limitFile), String(bytes));
  }

  /** Once no process is left in it. */
  async remove(): Promise<void> {
    await rmdir(this.folder);
  }
}
