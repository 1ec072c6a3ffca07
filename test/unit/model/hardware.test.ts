import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { type SystemProbe, readHardware } from '../../../src/model/hardware.js';
import { cacheRoot, modelsDirectory } from '../../../src/model/paths.js';

const gib = 1024 ** 3;
const probe = (more: Partial<SystemProbe> & { files?: Readonly<Record<string, string>>; folders?: Readonly<Record<string, readonly string[]>>; programs?: Readonly<Record<string, string>> }): SystemProbe => ({
  platform: 'linux', arch: 'x64', totalBytes: 16 * gib, freeBytes: 1 * gib, constrainedBytes: 0, logicalCores: 8,
  readText: (file) => Promise.resolve(more.files?.[file]),
  list: (folder) => Promise.resolve(more.folders?.[folder] ?? []),
  run: (program, args) => Promise.resolve(more.programs?.[[program, ...args].join(' ')]),
  ...more,
});

suite('Hardware', () => {
  test('Linux: MemAvailable, physical cores, cards', async () => {
    const cpu = [0, 1, 0, 1].map((core, i) => `processor\t: ${i}\nphysical id\t: 0\ncore id\t\t: ${core}\n`).join('\n');
    const hardware = await readHardware(probe({
      files: {
        '/proc/meminfo': 'MemTotal:       16777216 kB\nMemFree:         1048576 kB\nMemAvailable:    8388608 kB\n', '/proc/cpuinfo': cpu,
        '/sys/class/drm/card0/device/vendor': '0x8086\n', '/sys/class/drm/card1/device/vendor': '0x1002\n', '/sys/class/drm/card1/device/mem_info_vram_total': '17163091968\n',
      },
      folders: { '/sys/class/drm': ['card0', 'card0-HDMI-A-1', 'card1', 'renderD128'], '/dev': ['null', 'nvidia0'] },
    }));
    assert.equal(hardware.availableBytes, 8 * gib);
    assert.equal(hardware.physicalCores, 2);
    assert.deepEqual(hardware.gpus, [{ vendor: 'intel', unified: true }, { vendor: 'amd', unified: false, memoryBytes: 17_163_091_968 }, { vendor: 'nvidia', unified: false }]);
  });

  test('a container has what its limit leaves, its file cache not counted', async () => {
    const hardware = await readHardware(probe({
      constrainedBytes: 4 * gib,
      files: { '/proc/meminfo': 'MemAvailable:    8388608 kB\n', '/sys/fs/cgroup/memory.current': `${3 * gib}\n`, '/sys/fs/cgroup/memory.stat': `anon 1\ninactive_file ${gib}\n` },
    }));
    assert.equal(hardware.totalBytes, 4 * gib);
    assert.equal(hardware.availableBytes, 2 * gib);
  });

  test('macOS: inactive pages count as available, performance cores only', async () => {
    const hardware = await readHardware(probe({
      platform: 'darwin', arch: 'arm64', logicalCores: 10,
      programs: {
        '/usr/bin/vm_stat': 'Mach Virtual Memory Statistics: (page size of 16384 bytes)\nPages free:                   65536.\nPages active:               1000000.\nPages inactive:              131072.\nPages speculative:            65536.\nPages purgeable:                  0.\n',
        '/usr/sbin/sysctl -n hw.perflevel0.physicalcpu': '8\n',
      },
    }));
    assert.equal(hardware.availableBytes, 4 * gib);
    assert.equal(hardware.physicalCores, 8);
    assert.deepEqual(hardware.gpus, [{ vendor: 'apple', unified: true }]);
  });

  test('a system that says nothing gives careful numbers', async () => {
    const windows = await readHardware(probe({ platform: 'win32' }));
    assert.deepEqual([windows.availableBytes, windows.physicalCores, windows.gpus.length], [gib, 4, 0]);
    assert.equal((await readHardware(probe({ logicalCores: 1 }))).physicalCores, 1);
  });

  test('this machine has memory and cores', async () => {
    const hardware = await readHardware();
    assert.ok(hardware.totalBytes > gib / 2 && hardware.availableBytes > 0 && hardware.availableBytes <= hardware.totalBytes);
    assert.ok(hardware.physicalCores >= 1);
  });
});

suite('Paths', () => {
  test('the cache follows each platform, and LOUPE_CACHE before all', () => {
    assert.equal(cacheRoot({ LOUPE_CACHE: path.resolve('/c') }, 'linux', '/home/u'), path.resolve('/c'));
    assert.equal(cacheRoot({}, 'linux', '/home/u'), path.join('/home/u', '.cache', 'loupe'));
    assert.equal(cacheRoot({ XDG_CACHE_HOME: '/x' }, 'linux', '/home/u'), path.join('/x', 'loupe'));
    assert.equal(cacheRoot({}, 'darwin', '/Users/u'), path.join('/Users/u', 'Library', 'Caches', 'loupe'));
    assert.equal(cacheRoot({ LOCALAPPDATA: '/L' }, 'win32', '/u'), path.join('/L', 'loupe'));
    assert.equal(modelsDirectory('', '/c'), path.join('/c', 'models'));
    assert.equal(modelsDirectory(' ~/m ').endsWith(`${path.sep}m`), true);
  });

  test('the scripts, which run before anything is compiled, use the same folder', () => {
    const code = "import('./scripts/lib/paths.mjs').then(({ cacheRoot }) => console.log(JSON.stringify([cacheRoot({}, 'linux', '/h'), cacheRoot({}, 'darwin', '/h'), cacheRoot({ LOCALAPPDATA: '/L' }, 'win32', '/h')])))";
    const [linux, mac, windows] = JSON.parse(execFileSync(process.execPath, ['-e', code], { encoding: 'utf8' })) as string[];
    assert.deepEqual([linux, mac, windows], [cacheRoot({}, 'linux', '/h'), cacheRoot({}, 'darwin', '/h'), cacheRoot({ LOCALAPPDATA: '/L' }, 'win32', '/h')]);
  });
});
