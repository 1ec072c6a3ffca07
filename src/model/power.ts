import path from 'node:path';
import { systemProbe, type SystemProbe } from './hardware.js';

/** What {@link onBattery} asks the system, so that tests can be another machine. */
export type PowerProbe = Pick<SystemProbe, 'platform' | 'readText' | 'list' | 'run'> & {
  /** Windows' own folder: programs are started from there, never by a name that a folder on the way could answer to. */
  readonly systemRoot: string;
};

/** PowerShell alone needs a second or two to start. */
const patienceMs = 10_000;
const supplies = '/sys/class/power_supply';
/** `Win32_Battery.BatteryStatus`: discharging, low, critical. */
const discharging = new Set(['1', '4', '5']);

export const powerProbe = (): PowerProbe => ({ ...systemProbe(patienceMs), systemRoot: process.env['SystemRoot'] ?? 'C:\\Windows' });

/** Whether this machine runs on a battery now. False where the system does not say. Never rejects. */
export async function onBattery(probe: PowerProbe = powerProbe()): Promise<boolean> {
  switch (probe.platform) {
    case 'linux':
      return linuxOnBattery(probe);
    case 'darwin':
      return /drawing from 'Battery Power'/.test(await probe.run('/usr/bin/pmset', ['-g', 'batt']) ?? '');
    case 'win32': {
      const shell = path.win32.join(probe.systemRoot, 'System32', 'WindowsPowerShell', 'v1.0', 'powershell.exe');
      const said = await probe.run(shell, ['-NoProfile', '-NonInteractive', '-Command', '(Get-CimInstance -ClassName Win32_Battery).BatteryStatus']);
      return (said ?? '').split(/\s+/).some((status) => discharging.has(status));
    }
    default:
      return false;
  }
}

async function linuxOnBattery(probe: PowerProbe): Promise<boolean> {
  let battery = false;
  for (const name of await probe.list(supplies)) {
    const read = async (file: string): Promise<string> => (await probe.readText(`${supplies}/${name}/${file}`) ?? '').trim();
    const type = await read('type');
    if ((type === 'Mains' || type === 'USB') && await read('online') === '1') return false;
    // Mice and headsets have batteries, too: their scope is the device.
    if (type === 'Battery' && await read('scope') !== 'Device' && await read('status') === 'Discharging') battery = true;
  }
  return battery;
}
