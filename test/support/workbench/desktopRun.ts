import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { downloadAndUnzipVSCode, resolveCliArgsFromVSCodeExecutablePath, runTests } from '@vscode/test-electron';
import { chromium, type Page } from 'playwright-core';
import { perform } from './actions.js';
import type { RunOptions } from './browserRun.js';
import { listen } from './channel.js';
import { mochaEntry, testExtension } from './paths.js';
import { add, followLog, nothing, planPhase, readTotals, type Totals } from './phase.js';
import { createProfile, type Profile } from './profile.js';
import type { NamedScenario } from './scenario.js';

/** Runs all phases of a scenario in desktop VS Code. Each phase is a start of its own on the same profile. */
export async function runOnDesktop(named: NamedScenario, options: RunOptions): Promise<Totals> {
  const executable = await downloadAndUnzipVSCode('stable');
  const profile = createProfile(named, options.models);
  try {
    if (named.scenario.install !== false) install(executable, profile, options.vsix);
    let totals = nothing;
    for (const phase of named.scenario.phases) {
      console.log(`\n${named.name}: ${phase}`);
      totals = add(totals, await runPhase(named, phase, executable, profile, options.grep));
    }
    return totals;
  } finally {
    profile.dispose();
  }
}

const isolated = (profile: Profile) => [`--user-data-dir=${profile.userData}`, `--extensions-dir=${profile.extensions}`];

function install(executable: string, profile: Profile, vsix: string): void {
  const [cli, ...args] = resolveCliArgsFromVSCodeExecutablePath(executable);
  if (cli === undefined) throw new Error(`no command line found for ${executable}`);
  const { status, stderr } = spawnSync(cli, [...args.filter(arg => !/^--(user-data|extensions)-dir/.test(arg)), ...isolated(profile), '--install-extension', vsix], {
    env: profile.env, encoding: 'utf8', shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error(`installing ${vsix} failed\n${stderr}`);
}

async function runPhase(named: NamedScenario, phase: string, executable: string, profile: Profile, grep: string | undefined): Promise<Totals> {
  const results = planPhase(profile, named, phase, grep);
  const port = await freePort();
  let attached: Promise<Page> | undefined;
  const channel = await listen(profile.channel, async request => perform(await (attached ??= attach(port)), request));
  try {
    const outcome = await followLog(results, runTests({
      vscodeExecutablePath: executable, extensionDevelopmentPath: testExtension, extensionTestsPath: mochaEntry,
      extensionTestsEnv: profile.env,
      launchArgs: [
        profile.opened, ...isolated(profile), `--remote-debugging-port=${port}`, '--skip-welcome', '--skip-release-notes',
        ...(named.scenario.trust === 'restricted' ? [] : ['--disable-workspace-trust']),
      ],
    }).catch(() => 1));
    return readTotals(results, outcome);
  } finally {
    channel.close();
    if (process.platform !== 'win32') fs.rmSync(profile.channel, { force: true });
  }
}

/** The workbench page of the VS Code that listens for debuggers on `port`. */
async function attach(port: number): Promise<Page> {
  const browser = await chromium.connectOverCDP(`http://127.0.0.1:${port}`);
  for (let waited = 0; waited < 100; waited++) {
    const page = browser.contexts().flatMap(context => context.pages()).find(candidate => candidate.url().includes('workbench'));
    if (page) return page;
    await sleep(100);
  }
  throw new Error('the desktop workbench shows no page');
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject).listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
