import { execFile } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import os from 'node:os';

export interface GpuHint {
  readonly vendor: 'apple' | 'nvidia' | 'amd' | 'intel';
  /** Shares the machine's memory. */
  readonly unified: boolean;
  /** Where the system says it without a driver's library. */
  readonly memoryBytes?: number;
}

/** What decides which model this machine can run. Sizes in bytes. */
export interface Hardware {
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  /** Memory that this process may have: less than the machine's inside a container. */
  readonly totalBytes: number;
  readonly availableBytes: number;
  readonly physicalCores: number;
  /** A hint for the choice of a model: the engine alone knows whether it can use the device. */
  readonly gpus: readonly GpuHint[];
}

/** What {@link readHardware} asks the system, so that tests can be another machine. */
export interface SystemProbe {
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** The limit of a container; 0 or more than the machine has: none. */
  readonly constrainedBytes: number;
  readonly logicalCores: number;
  /** Undefined when there is no such file. */
  readText(file: string): Promise<string | undefined>;
  list(folder: string): Promise<readonly string[]>;
  /** Standard output; undefined when the program is missing, fails or takes too long. */
  run(program: string, args: readonly string[]): Promise<string | undefined>;
}

/** @param patienceMs how long a program may take */
export const systemProbe = (patienceMs = 2000): SystemProbe => ({
  platform: process.platform,
  arch: process.arch,
  totalBytes: os.totalmem(),
  freeBytes: os.freemem(),
  constrainedBytes: process.constrainedMemory(),
  logicalCores: os.availableParallelism(),
  readText: (file) => readFile(file, 'utf8').catch(() => undefined),
  list: (folder) => readdir(folder).catch(() => []),
  run: (program, args) => new Promise((resolve) => {
    execFile(program, [...args], { timeout: patienceMs, maxBuffer: 1 << 20, windowsHide: true }, (error, stdout) => resolve(error ? undefined : stdout));
  }),
});

/** Reads the hardware. Never fails: what the system does not say is estimated on the careful side. */
export async function readHardware(probe: SystemProbe = systemProbe()): Promise<Hardware> {
  const constrained = probe.constrainedBytes > 0 && probe.constrainedBytes < probe.totalBytes;
  const totalBytes = constrained ? probe.constrainedBytes : probe.totalBytes;
  const [available, physicalCores, gpus] = await Promise.all([availableMemory(probe), countCores(probe), findGpus(probe)]);
  return {
    platform: probe.platform, arch: probe.arch, totalBytes, physicalCores, gpus,
    availableBytes: Math.min(available, totalBytes),
  };
}

/** Bytes that programs can still take: what the system gives up on demand (file cache, mapped files) counts as available. */
export async function availableMemory(probe: SystemProbe = systemProbe()): Promise<number> {
  if (probe.platform === 'linux') {
    const kib = /^MemAvailable:\s+(\d+) kB$/m.exec(await probe.readText('/proc/meminfo') ?? '')?.[1];
    const free = kib ? Number(kib) * 1024 : probe.freeBytes;
    if (!(probe.constrainedBytes > 0 && probe.constrainedBytes < probe.totalBytes)) return free;
    const used = Number(await probe.readText('/sys/fs/cgroup/memory.current')) || 0;
    const fileCache = Number(/^inactive_file (\d+)$/m.exec(await probe.readText('/sys/fs/cgroup/memory.stat') ?? '')?.[1] ?? 0);
    return Math.min(free, Math.max(0, probe.constrainedBytes - used + fileCache));
  }
  if (probe.platform === 'darwin') {
    const stat = await probe.run('/usr/bin/vm_stat', []);
    const page = Number(/page size of (\d+) bytes/.exec(stat ?? '')?.[1]);
    const pages = (name: string): number => Number(new RegExp(`^Pages ${name}:\\s+(\\d+)\\.`, 'm').exec(stat ?? '')?.[1] ?? 0);
    // macOS keeps almost nothing free; inactive and speculative pages are given up on demand.
    if (page > 0) return page * (pages('free') + pages('inactive') + pages('speculative') + pages('purgeable'));
  }
  return probe.freeBytes;
}

async function countCores(probe: SystemProbe): Promise<number> {
  const cores = await physicalCores(probe);
  return Math.max(1, Math.min(cores ?? probe.logicalCores, probe.logicalCores));
}

async function physicalCores(probe: SystemProbe): Promise<number | undefined> {
  if (probe.platform === 'linux') {
    const text = await probe.readText('/proc/cpuinfo') ?? '';
    const pairs = text.split('\n\n').map((block) => [/^physical id\s*: (\d+)$/m.exec(block)?.[1], /^core id\s*: (\d+)$/m.exec(block)?.[1]]);
    const distinct = new Set(pairs.filter(([, core]) => core !== undefined).map(([socket, core]) => `${socket ?? 0}/${core}`));
    return distinct.size > 0 ? distinct.size : undefined;
  }
  if (probe.platform === 'darwin') {
    // Efficiency cores slow a matrix product down to their own pace.
    const fast = Number(await probe.run('/usr/sbin/sysctl', ['-n', 'hw.perflevel0.physicalcpu']));
    return fast || Number(await probe.run('/usr/sbin/sysctl', ['-n', 'hw.physicalcpu'])) || undefined;
  }
  return probe.arch === 'x64' && probe.logicalCores >= 4 ? Math.floor(probe.logicalCores / 2) : undefined;
}

const vendors: Readonly<Record<string, GpuHint['vendor']>> = { '0x10de': 'nvidia', '0x1002': 'amd', '0x8086': 'intel' };

async function findGpus(probe: SystemProbe): Promise<readonly GpuHint[]> {
  if (probe.platform === 'darwin') return probe.arch === 'arm64' ? [{ vendor: 'apple', unified: true }] : [];
  if (probe.platform !== 'linux') return [];
  const found: GpuHint[] = [];
  for (const card of (await probe.list('/sys/class/drm')).filter((name) => /^card\d+$/.test(name)).sort()) {
    const device = `/sys/class/drm/${card}/device`;
    const vendor = vendors[(await probe.readText(`${device}/vendor`) ?? '').trim()];
    if (!vendor) continue;
    const memory = Number(await probe.readText(`${device}/mem_info_vram_total`));
    found.push({ vendor, unified: vendor === 'intel', ...(memory > 0 ? { memoryBytes: memory } : {}) });
  }
  // Inside WSL and many containers the card has no entry in /sys, only its device file.
  if (!found.some((gpu) => gpu.vendor === 'nvidia') && (await probe.list('/dev')).includes('nvidia0')) found.push({ vendor: 'nvidia', unified: false });
  return found;
}
