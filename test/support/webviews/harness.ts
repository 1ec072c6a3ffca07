import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { webviewHtml } from '../../../src/extension/webviewHtml.js';
import type { ChatToHost, HostToChat, HostToTrace, TraceToHost } from '../../../src/protocol/views.js';

/** The four kinds of theme, with the variables that Code 1.139 sets for its default theme of each kind. */
export const themes = ['dark', 'light', 'high-contrast', 'high-contrast-light'] as const;
export type Theme = (typeof themes)[number];

interface Messages {
  readonly chat: { readonly in: HostToChat; readonly out: ChatToHost };
  readonly trace: { readonly in: HostToTrace; readonly out: TraceToHost };
}
export type ViewName = keyof Messages;

/** A shipped webview bundle in a real browser, in the real page with its real policy, with the host's side in the test's hands. */
export interface View<Name extends ViewName> {
  readonly page: Page;
  /** What the view sent, oldest first. */
  readonly sent: readonly Messages[Name]['out'][];
  /** Addresses that the page asked for and that are not its own files: must stay empty. */
  readonly foreignRequests: readonly string[];
  /** Uncaught errors and console errors, policy violations among them. */
  readonly errors: readonly string[];
  send(...messages: readonly Messages[Name]['in'][]): Promise<void>;
  /** Resolves with the first message of the type that was or will be sent. */
  waitFor<Type extends Messages[Name]['out']['type']>(type: Type): Promise<Extract<Messages[Name]['out'], { type: Type }>>;
  count(type: Messages[Name]['out']['type']): number;
  close(): Promise<void>;
}

export interface ViewOptions { readonly theme?: Theme; readonly width?: number; readonly height?: number; readonly reducedMotion?: boolean }

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../..');
const origin = 'https://webview.loupe.test';

interface Bundle { readonly name: string; readonly options: { readonly outfile: string } }

/** Builds both bundles with the project's own options. */
export async function buildViews(): Promise<void> {
  const [{ bundleOptions }, esbuild] = await Promise.all([
    script<{ bundleOptions: (production: boolean) => Bundle[] }>('bundles'),
    import('esbuild'),
  ]);
  await Promise.all(bundleOptions(true).filter(({ name }) => name === 'chat' || name === 'trace').map(({ options }) => esbuild.build(options)));
}

export async function launch(): Promise<Browser> {
  const { ensureChromium } = await script<{ readonly ensureChromium: () => Promise<string> }>('chromium');
  return chromium.launch({ executablePath: await ensureChromium(), args: ['--no-sandbox'] });
}

/** A module of the project's own scripts, which are plain JavaScript. */
async function script<Exports>(name: string): Promise<Exports> {
  return await import(pathToFileURL(path.join(root, `scripts/lib/${name}.mjs`)).href) as Exports;
}

export async function openView<Name extends ViewName>(browser: Browser, name: Name, options: ViewOptions = {}): Promise<View<Name>> {
  const { theme = 'dark', width = 400, height = 860, reducedMotion = true } = options;
  const context = await browser.newContext({ viewport: { width, height }, reducedMotion: reducedMotion ? 'reduce' : 'no-preference' });
  const page = await context.newPage();
  const foreignRequests: string[] = [];
  const errors: string[] = [];
  const sent: Messages[Name]['out'][] = [];
  const waiting: { readonly type: string; readonly resolve: (message: Messages[Name]['out']) => void }[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });

  const html = webviewHtml({
    cspSource: origin, script: `${origin}/main.js`, style: `${origin}/main.css`, nonce: randomBytes(12).toString('hex'), title: 'Loupe',
  });
  await context.route('**/*', async (route) => {
    const { pathname, origin: from } = new URL(route.request().url());
    if (from === origin && pathname === '/index.html') await route.fulfill({ contentType: 'text/html', body: html });
    else if (from === origin && /^\/main\.(js|css)$/.test(pathname)) await route.fulfill({ path: path.join(root, 'dist/webviews', name, pathname) });
    else {
      foreignRequests.push(route.request().url());
      await route.abort();
    }
  });
  await page.exposeFunction('loupeReceive', (message: Messages[Name]['out']) => {
    sent.push(message);
    for (const entry of waiting.filter(({ type }) => type === message.type)) {
      waiting.splice(waiting.indexOf(entry), 1);
      entry.resolve(message);
    }
  });
  await page.addInitScript(fakeVsCode, { variables: readTheme(theme), kind: bodyClasses(theme) });
  await page.goto(`${origin}/index.html`);

  const view: View<Name> = {
    page, sent, foreignRequests, errors,
    send: (...messages) => page.evaluate((all) => { for (const message of all) window.postMessage(message, '*'); }, messages as readonly unknown[]),
    waitFor: <Type extends Messages[Name]['out']['type']>(type: Type) => new Promise<Extract<Messages[Name]['out'], { type: Type }>>((resolve) => {
      const found = sent.find((message) => message.type === type);
      if (found) resolve(found as Extract<Messages[Name]['out'], { type: Type }>);
      else waiting.push({ type, resolve: (message) => resolve(message as Extract<Messages[Name]['out'], { type: Type }>) });
    }),
    count: (type) => sent.filter((message) => message.type === type).length,
    close: () => context.close(),
  };
  await view.waitFor('ready');
  return view;
}

/** Runs in the page before its own script, as VS Code's preamble does: the API object, the theme's variables, the body's class. */
function fakeVsCode({ variables, kind }: { readonly variables: Readonly<Record<string, string>>; readonly kind: string }): void {
  const target = window as unknown as { acquireVsCodeApi: unknown; loupeReceive: (message: unknown) => void };
  let taken = false;
  target.acquireVsCodeApi = () => {
    if (taken) throw new Error('An instance of the VS Code API has already been acquired');
    taken = true;
    return { postMessage: (message: unknown) => target.loupeReceive(structuredClone(message)), getState: () => undefined, setState: () => undefined };
  };
  document.addEventListener('DOMContentLoaded', () => {
    for (const [name, value] of Object.entries(variables)) document.documentElement.style.setProperty(name, value);
    document.body.classList.add(...kind.split(' '));
  });
}

export function readTheme(theme: Theme): Readonly<Record<string, string>> {
  return JSON.parse(fs.readFileSync(path.join(root, 'test/support/webviews/themes', `${theme}.json`), 'utf8')) as Record<string, string>;
}

function bodyClasses(theme: Theme): string {
  return { 'dark': 'vscode-dark', 'light': 'vscode-light', 'high-contrast': 'vscode-high-contrast', 'high-contrast-light': 'vscode-high-contrast vscode-high-contrast-light' }[theme];
}
