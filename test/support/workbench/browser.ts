import { chromium, type BrowserContext, type Page } from 'playwright-core';
import { mochaEntry, testExtension } from './paths.js';
import type { Server, Tools } from './codeServer.js';

/** A browser whose pages share their storage, as the windows of one VS Code do. */
export async function openBrowser(tools: Tools): Promise<{ context: BrowserContext; close(): Promise<void> }> {
  const browser = await chromium.launch({
    executablePath: tools.chromium,
    // Otherwise playwright ends the process on a signal before our own clean-up has run.
    handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false,
    args: ['--disable-dev-shm-usage', '--disable-gpu', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
  });
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
  // Nothing leaves this machine.
  await context.route(url => url.hostname !== '127.0.0.1', route => route.abort());
  return { context, close: () => browser.close() };
}

export interface TestPage {
  readonly page: Page;
  /** Resolves with the outcome of the suite (0: all passed) when its extension host has ended. */
  readonly ended: Promise<number>;
  /** Errors on the page's console, for a suite that could not even start. */
  readonly complaints: readonly string[];
}

/** Opens a folder or workspace file in a workbench whose extension host runs {@link mochaEntry}; `onPage` gets the page before it has loaded. */
export async function openWorkbench(
  context: BrowserContext, server: Server, opened: string, onPage: (page: Page) => void,
): Promise<TestPage> {
  const page = await context.newPage();
  onPage(page);
  const complaints: string[] = [];
  page.on('console', message => {
    if (message.type() === 'error' && !/Failed to load resource|^%c/.test(message.text())) complaints.push(message.text());
  });
  let settle: (code: number) => void = () => undefined;
  const ended = new Promise<number>((resolve, reject) => {
    settle = resolve;
    page.on('crash', () => reject(new Error('the workbench page crashed')));
  });
  ended.catch(() => undefined);
  // The workbench calls this global when run() of the test module has settled.
  await page.exposeFunction('codeAutomationExit', settle);

  const address = new URL(server.origin);
  const remote = (file: string) => `vscode-remote://${address.host}${encodeURI(file)}`;
  address.searchParams.set(opened.endsWith('.code-workspace') ? 'workspace' : 'folder', opened);
  address.searchParams.set('payload', JSON.stringify([
    ['extensionDevelopmentPath', remote(testExtension)], ['extensionTestsPath', remote(mochaEntry)],
  ]));
  await page.goto(address.href, { waitUntil: 'domcontentloaded' });
  await page.locator('.monaco-workbench').waitFor({ timeout: 60_000 });
  return { page, ended, complaints };
}
