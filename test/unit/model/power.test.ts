import { strict as assert } from 'node:assert';
import { onBattery, type PowerProbe } from '../../../src/model/power.js';

const machine = (platform: NodeJS.Platform, more: { files?: Readonly<Record<string, string>>; output?: string } = {}): PowerProbe & { readonly asked: string[] } => {
  const asked: string[] = [];
  const names = new Set(Object.keys(more.files ?? {}).map((file) => file.split('/')[0] ?? ''));
  return {
    platform, systemRoot: 'C:\\Windows', asked,
    readText: (file) => Promise.resolve(more.files?.[file.replace('/sys/class/power_supply/', '')]),
    list: () => Promise.resolve([...names]),
    run: (program, args) => {
      asked.push([program, ...args].join(' '));
      return Promise.resolve(more.output);
    },
  };
};
const battery = { 'BAT0/type': 'Battery\n', 'BAT0/status': 'Discharging\n' };

suite('power', () => {
  test('Linux: a battery of the machine that discharges while nothing is plugged in', async () => {
    const check = (files: Readonly<Record<string, string>>): Promise<boolean> => onBattery(machine('linux', { files }));
    assert.equal(await check({ 'AC/type': 'Mains\n', 'AC/online': '0\n', ...battery }), true);
    assert.equal(await check(battery), true);
    assert.equal(await check({ ...battery, 'AC/type': 'Mains\n', 'AC/online': '1\n' }), false);
    assert.equal(await check({ ...battery, 'UCSI/type': 'USB\n', 'UCSI/online': '1\n' }), false);
    assert.equal(await check({ ...battery, 'BAT0/status': 'Full\n' }), false);
    assert.equal(await check({ 'mouse/type': 'Battery\n', 'mouse/status': 'Discharging\n', 'mouse/scope': 'Device\n' }), false);
    assert.equal(await check({}), false);
  });

  test('macOS says it in words', async () => {
    assert.equal(await onBattery(machine('darwin', { output: "Now drawing from 'Battery Power'\n -InternalBattery-0 (id=1)\t79%; discharging" })), true);
    assert.equal(await onBattery(machine('darwin', { output: "Now drawing from 'AC Power'\n" })), false);
    assert.equal(await onBattery(machine('darwin')), false);
  });

  test('Windows: the number of the state; PowerShell by its full path', async () => {
    const probe = machine('win32', { output: '1\r\n' });
    assert.equal(await onBattery(probe), true);
    assert.match(probe.asked[0] ?? '', /^C:\\Windows\\System32\\WindowsPowerShell\\v1\.0\\powershell\.exe -NoProfile /);
    for (const output of ['2\r\n', '6\r\n', '', undefined]) assert.equal(await onBattery(machine('win32', output === undefined ? {} : { output })), false);
    assert.equal(await onBattery(machine('win32', { output: '2\r\n5\r\n' })), true);
  });

  test('this machine can be asked', async () => {
    assert.equal(typeof await onBattery(), 'boolean');
  });
});
