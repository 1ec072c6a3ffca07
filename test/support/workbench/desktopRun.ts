import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium, type Browser, type Page } from 'playwright-core';
import { perform } from './actions.js';
import type { RunOptions } from './browserRun.js';
import { listen } from './channel.js';
import { downloadDesktop, install, runDesktop, type Desktop } from './desktop.js';
import { mochaEntry, screenshots, testExtension } from './paths.js';
import { add, followLog, nothing, planPhase, readTotals, type Totals } from './phase.js';
import { createProfile, type Profile } from './profile.js';
import type { NamedScenario } from './scenario.js';

/** Runs all phases of a scenario in desktop VS Code. Each phase is a start of its own on the same profile. */
export async function runOnDesktop(named: NamedScenario, options: RunOptions, find: () => Promise<Desktop> = downloadDesktop): Promise<Totals> {
  const desktop = await find();
  const profile = createProfile(named, options.models);
  try {
    if (named.scenario.install !== false) install(desktop, [...isolated(profile), '--install-extension', options.vsix], profile.env);
    let totals = nothing;
    for (const phase of named.scenario.phases) {
      console.log(`\n${named.name}: ${phase}`);
      totals = add(totals, await runPhase(named, phase, desktop, profile, options.grep));
    }
    return totals;
  } finally {
    profile.dispose();
  }
}

const isolated = (profile: Profile) => [`--user-data-dir=${profile.userData}`, `--extensions-dir=${profile.extensions}`];

async function runPhase(named: NamedScenario, phase: string, desktop: Desktop, profile: Profile, grep: string | undefined): Promise<Totals> {
  const results = planPhase(profile, named, phase, grep);
  const port = await freePort();
  let attached: Promise<{ browser: Browser; page: Page }> | undefined;
  const channel = await listen(profile.channel, async request => perform((await (attached ??= attach(port))).page, request));
  try {
    const args = [
      profile.opened, ...isolated(profile), `--extensionDevelopmentPath=${testExtension}`, `--extensionTestsPath=${mochaEntry}`,
      `--remote-debugging-port=${port}`, ...(named.scenario.trust === 'restricted' ? [] : ['--disable-workspace-trust']),
    ];
    const outcome = await followLog(results, runDesktop(desktop, args, profile.env, named.scenario.timeoutSeconds ?? 180));
    const totals = readTotals(results, outcome);
    if (totals.failed > 0) keepLogs(profile, `${named.name}-${phase}`);
    return totals;
  } finally {
    channel.close();
    await (await attached?.catch(() => undefined))?.browser.close(); // ends the connection; VS Code has ended already
    if (process.platform !== 'win32') fs.rmSync(profile.channel, { force: true });
  }
}

/** The workbench page of the VS Code that listens for debuggers on `port`. */
async function attach(port: number): Promise<{ browser: Browser; page: Page }> {
  // Electron has no management of browser contexts, which playwright's defaults ask for.
  const browser = await chromium.connectOverCDP(`http://127.0.0.1:${port}`, { noDefaults: true });
  for (let waited = 0; waited < 100; waited++) {
    const page = browser.contexts().flatMap(context => context.pages()).find(candidate => candidate.url().includes('workbench'));
    if (page) return { browser, page };
    await sleep(100);
  }
  throw new Error('the desktop workbench shows no page');
}

/** What VS Code logged goes where the workflow collects it: nobody can look at that machine afterwards. */
function keepLogs(profile: Profile, name: string): void {
  const logs = path.join(profile.userData, 'logs');
  if (fs.existsSync(logs)) fs.cpSync(logs, path.join(path.dirname(screenshots), 'logs', name), { recursive: true });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject).listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
