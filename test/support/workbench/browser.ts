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

/** Where the server shows a folder or workspace file; absolute path. */
function addressOf(server: Server, opened: string): URL {
  const address = new URL(server.origin);
  address.searchParams.set(opened.endsWith('.code-workspace') ? 'workspace' : 'folder', opened);
  return address;
}

/** The workbench writes what it remembers a moment after it shows it; a window that closes before has remembered nothing. */
const rememberMs = 5_000;

/**
 * Opens a workspace file once without tests, until its folders are shown. The web workbench starts from what it remembers of such a
 * file and reads it later; with nothing remembered, on a busy machine, a window has been seen to stay without any folder.
 */
export async function rememberFolders(context: BrowserContext, server: Server, opened: string, folders: readonly string[]): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const page = await context.newPage();
    try {
      await page.goto(addressOf(server, opened).href, { waitUntil: 'domcontentloaded' });
      for (const name of folders) {
        await page.locator(`.explorer-folders-view .monaco-list-row:has-text("${name}")`).first().waitFor({ timeout: 30_000 });
      }
      await page.waitForTimeout(rememberMs);
      return;
    } catch (error) {
      if (attempt === 3) throw new Error(`the window does not show ${folders.join(' and ')}`, { cause: error });
      console.error(`the window did not show ${folders.join(' and ')} within 30 s; it is opened again`);
    } finally {
      await page.close();
    }
  }
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

  const address = addressOf(server, opened);
  const remote = (file: string) => `vscode-remote://${address.host}${encodeURI(file)}`;
  address.searchParams.set('payload', JSON.stringify([
    ['extensionDevelopmentPath', remote(testExtension)], ['extensionTestsPath', remote(mochaEntry)],
  ]));
  await page.goto(address.href, { waitUntil: 'domcontentloaded' });
  await page.locator('.monaco-workbench').waitFor({ timeout: 60_000 });
  return { page, ended, complaints };
}
