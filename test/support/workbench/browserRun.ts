import fs from 'node:fs';
import path from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { perform } from './actions.js';
import { openBrowser, openWorkbench, rememberFolders } from './browser.js';
import { listen } from './channel.js';
import { installExtension, startServer, type Server, type Tools } from './codeServer.js';
import { screenshots } from './paths.js';
import { add, followLog, noFolders, nothing, planPhase, readTotals, timeout, type Totals } from './phase.js';
import { createProfile, type Profile } from './profile.js';
import type { NamedScenario } from './scenario.js';

export interface RunOptions {
  /** The packaged extension; absolute path. */
  readonly vsix: string;
  /** Folder of the test models; absolute path. */
  readonly models: string;
  readonly grep?: string;
}

/** Runs all phases of a scenario in the browser workbench. A phase after a failed one still runs: it may fail by itself. */
export async function runInBrowser(named: NamedScenario, tools: Tools, options: RunOptions): Promise<Totals> {
  const profile = createProfile(named, options.models);
  const cleanUp: (() => unknown)[] = [() => profile.dispose()];
  const end = async () => {
    for (const step of cleanUp.splice(0).reverse()) await step();
  };
  const onSignal = () => void end().finally(() => process.exit(130));
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    if (named.scenario.install !== false) await installExtension(tools, profile, options.vsix);
    const server = await startServer(tools, profile, { trusted: named.scenario.trust !== 'restricted' });
    cleanUp.push(() => server.stop());
    const browser = await openBrowser(tools);
    cleanUp.push(() => browser.close());
    if (profile.names.length > 1) await rememberFolders(browser.context, server, profile.opened, profile.names);
    let totals = nothing;
    for (const phase of named.scenario.phases) {
      console.log(`\n${named.name}: ${phase}`);
      totals = add(totals, await runPhase(named, phase, profile, server, browser.context, options.grep));
    }
    return totals;
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    await end();
  }
}

/** A window that the editor opens without its folders is its fault, not that of what is tested: how often it may try. */
const mostWindows = 3;

async function runPhase(
  named: NamedScenario, phase: string, profile: Profile, server: Server, context: BrowserContext, grep: string | undefined,
): Promise<Totals> {
  for (let windows = 1; ; windows++) {
    const results = planPhase(profile, named, phase, grep);
    const totals = await runInWindow(named, phase, results, profile, server, context);
    if (windows === mostWindows || !noFolders(results)) return totals;
    console.error('the window had no folders; it is opened again');
  }
}

async function runInWindow(named: NamedScenario, phase: string, results: string, profile: Profile, server: Server, context: BrowserContext): Promise<Totals> {
  // Tests may ask before the workbench has told us that it is up.
  let found: (page: Page) => void = () => undefined;
  const pageOpen = new Promise<Page>(resolve => { found = resolve; });
  const channel = await listen(profile.channel, async request => perform(await pageOpen, request));
  const finished = new AbortController();
  try {
    const opened = await openWorkbench(context, server, profile.opened, found);
    const seconds = named.scenario.timeoutSeconds ?? 180;
    try {
      const outcome = await followLog(results, Promise.race([opened.ended, server.failure, timeout(seconds, finished.signal)]));
      const totals = readTotals(results, outcome);
      if (totals.passed === 0) console.error(opened.complaints.slice(-5).join('\n'));
      return totals;
    } catch (error) {
      // What the page showed is worth more than the message.
      fs.mkdirSync(screenshots, { recursive: true });
      await opened.page.screenshot({ path: path.join(screenshots, `${named.name}-${phase}-failed.png`) }).catch(() => undefined);
      console.error(error);
      const totals = fs.existsSync(results) ? JSON.parse(fs.readFileSync(results, 'utf8')) as Totals : nothing;
      return add(totals, { passed: 0, failed: 1, skipped: 0 });
    } finally {
      await opened.page.close();
    }
  } finally {
    finished.abort();
    channel.close();
    fs.rmSync(profile.channel, { force: true });
  }
}
