import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { desktopAt, type Desktop } from '../../support/workbench/desktop.js';
import { runOnDesktop } from '../../support/workbench/desktopRun.js';
import { mochaEntry, root, testExtension } from '../../support/workbench/paths.js';
import { phaseBundle, type NamedScenario, type Scenario } from '../../support/workbench/scenario.js';

interface Started { readonly program: string; readonly args: readonly string[]; readonly env: Readonly<Record<string, string | undefined>> }

/** The desktop runner up to the start of VS Code, whose part a script plays: it runs the suite that it is told to. */
suite('runner for desktop VS Code', () => {
  let folder: string;
  let desktop: Desktop;
  const bundles: string[] = [];
  setup(function () {
    if (process.platform === 'win32') this.skip(); // a script is no .exe
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lp-fake '));
    const mac = process.platform === 'darwin';
    const [main, cli] = mac ? ['Visual Studio Code.app/Contents/MacOS/Code', 'Visual Studio Code.app/Contents/Resources/app/bin/code'] : ['code', 'bin/code'];
    for (const place of [main, cli].map(name => path.join(folder, name))) {
      fs.mkdirSync(path.dirname(place), { recursive: true });
      fs.copyFileSync(path.join(root, 'test/support/workbench/fakeDesktop.cjs'), place);
      fs.chmodSync(place, 0o755);
    }
    desktop = desktopAt(path.join(folder, mac ? 'Visual Studio Code.app/Contents/MacOS/Electron' : 'code'));
  });
  teardown(() => {
    if (folder) fs.rmSync(folder, { recursive: true, force: true });
    for (const bundle of bundles.splice(0)) fs.rmSync(path.dirname(bundle), { recursive: true, force: true });
  });

  async function run(suites: Readonly<Record<string, string>>, more: Partial<Scenario> = {}, mode = ''): Promise<{ totals: Awaited<ReturnType<typeof runOnDesktop>>; started: readonly Started[] }> {
    const record = path.join(folder, 'record.jsonl');
    const named: NamedScenario = {
      name: `fake-desktop-${process.pid}`, folder,
      scenario: { phases: Object.keys(suites), models: 'none', env: () => ({ FAKE_RECORD: record, FAKE_MODE: mode }), ...more },
    };
    for (const [phase, code] of Object.entries(suites)) {
      const bundle = phaseBundle(named, phase);
      bundles.push(bundle);
      fs.mkdirSync(path.dirname(bundle), { recursive: true });
      fs.writeFileSync(bundle, code);
    }
    const totals = await runOnDesktop(named, { vsix: '/x/loupe.vsix', models: folder }, () => Promise.resolve(desktop));
    return { totals, started: fs.readFileSync(record, 'utf8').trim().split('\n').filter(Boolean).map(line => JSON.parse(line) as Started) };
  }

  const passing = "test('passes', () => {}); test.skip('later', () => {});";

  test('installs the package into a profile of its own and runs every phase on it', async () => {
    process.env['VSCODE_IPC_HOOK'] = '/elsewhere';
    try {
      const { totals, started } = await run({ one: passing, two: "test('fails', () => { throw new Error('on purpose'); });" });
      assert.deepEqual(totals, { passed: 1, failed: 1, skipped: 1, failures: ['fails: on purpose'] });
      const [installing, one, two] = started;
      assert.ok(installing && one && two && started.length === 3);
      const userData = one.args.find(arg => arg.startsWith('--user-data-dir='));
      const extensions = one.args.find(arg => arg.startsWith('--extensions-dir='));
      assert.ok(userData?.startsWith(`--user-data-dir=${os.tmpdir()}`) && extensions?.startsWith(`--extensions-dir=${os.tmpdir()}`));
      assert.deepEqual(installing.args, [userData, extensions, '--install-extension', '/x/loupe.vsix']);
      for (const wanted of [`--extensionDevelopmentPath=${testExtension}`, `--extensionTestsPath=${mochaEntry}`, '--disable-workspace-trust', '--use-inmemory-secretstorage']) {
        assert.ok(one.args.includes(wanted), wanted);
      }
      assert.ok(one.args.some(arg => /^--remote-debugging-port=\d+$/.test(arg)));
      assert.ok(two.args.includes(userData ?? '') && two.args.includes(extensions ?? ''), 'the same profile');
      for (const { env } of started) {
        assert.equal(env['VSCODE_IPC_HOOK'], undefined, 'nothing of an enclosing VS Code');
        assert.notEqual(env['HOME'], os.homedir());
        assert.ok(env['LOUPE_CACHE']?.startsWith(os.tmpdir()) || env['LOUPE_CACHE']?.startsWith(fs.realpathSync(os.tmpdir())));
      }
      assert.equal(fs.existsSync(userData?.slice('--user-data-dir='.length) ?? ''), false, 'the profile is gone afterwards');
    } finally {
      delete process.env['VSCODE_IPC_HOOK'];
    }
  });

  test('a restricted scenario is not trusted', async () => {
    const { totals, started } = await run({ one: passing }, { trust: 'restricted' });
    assert.equal(totals.failed, 0);
    assert.ok(started.every(({ args }) => !args.includes('--disable-workspace-trust')));
  });

  test('a VS Code that hangs is ended, and counts as a failure', async () => {
    const began = performance.now();
    const { totals } = await run({ one: passing }, { timeoutSeconds: 2, install: false }, 'hang');
    assert.deepEqual(totals, { passed: 0, failed: 1, skipped: 0, failures: ['one.json: the suite ended with 124 after 0 passed tests'] });
    assert.ok(performance.now() - began < 10_000);
  });

  test('the executable on macOS is found under either name', () => {
    for (const name of ['Electron', 'Code']) {
      const place = path.join(folder, name, 'X.app/Contents/MacOS');
      fs.mkdirSync(place, { recursive: true });
      fs.writeFileSync(path.join(place, name), '');
      assert.equal(desktopAt(path.join(place, 'Electron')).executable, path.join(place, name));
    }
  });
});
