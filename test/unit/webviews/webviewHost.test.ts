import assert from 'node:assert/strict';
import type * as vscode from 'vscode';
import { Emitter } from '../../../src/base/event.js';
import { type ChatToHost, chatToHostSchema, type HostToChat } from '../../../src/protocol/views.js';
import { contentSecurityPolicy, webviewHtml } from '../../../src/extension/webviewHtml.js';
import { WebviewHost } from '../../../src/extension/webviewHost.js';
import { state } from '../../support/webviews/recorded.js';

/** The part of VS Code's webview that the host uses; `live` is whether its content exists. */
class FakeWebview {
  readonly cspSource = 'https://csp.test';
  html = '';
  options: vscode.WebviewOptions = {};
  live = true;
  readonly delivered: HostToChat[] = [];
  private readonly received = new Emitter<unknown>();
  readonly onDidReceiveMessage = this.received.event;
  asWebviewUri(uri: { path: string }): { toString(): string } {
    return { toString: () => `https://csp.test${uri.path}` };
  }
  async postMessage(message: HostToChat): Promise<boolean> {
    if (this.live) this.delivered.push(message);
    return this.live;
  }
  async fromView(message: unknown): Promise<void> {
    this.received.fire(message);
    await settle();
  }
}

const settle = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });
const uri = (path: string): { path: string; with(change: { path: string }): unknown } => ({ path, with: (change) => uri(change.path) });

function setUp(onMessage: (message: ChatToHost, host: WebviewHost<ChatToHost, HostToChat>) => void | Promise<void> = () => undefined) {
  const webview = new FakeWebview();
  const received: ChatToHost[] = [];
  const logged: string[] = [];
  const host: WebviewHost<ChatToHost, HostToChat> = new WebviewHost<ChatToHost, HostToChat>({
    webview: webview as unknown as vscode.Webview, extensionUri: uri('/ext/') as unknown as vscode.Uri, bundle: 'chat', title: 'Loupe Chat', schema: chatToHostSchema,
    onMessage: (message) => {
      received.push(message);
      return onMessage(message, host);
    },
    keep: ({ type }) => type === 'prefill' || type === 'notice',
    logger: { log: (_level, message) => { logged.push(message); } },
  });
  return { webview, host, received, logged };
}

const notice: HostToChat = { type: 'notice', level: 'info', text: 'hello' };
const prefill: HostToChat = { type: 'prefill', text: 'Explain', attachments: [], focus: true };

suite('webviews: the page', () => {
  test('the policy allows one script by nonce and no inline style', () => {
    assert.equal(contentSecurityPolicy({ cspSource: 'https://csp.test', nonce: 'abc' }),
      "default-src 'none'; script-src 'nonce-abc'; style-src https://csp.test; img-src https://csp.test data:; font-src https://csp.test; base-uri 'none'; form-action 'none'");
  });

  test('values cannot leave their attributes', () => {
    const html = webviewHtml({ cspSource: 'x', script: '"><script>alert(1)</script>', style: 's', nonce: 'n', title: '<b>' });
    assert.equal((html.match(/<script/g) ?? []).length, 1);
    assert.ok(!html.includes('<b>'));
  });

  test('scripts are on, command links and forms are off, files come from the bundles only', () => {
    const { webview } = setUp();
    const { localResourceRoots, ...options } = webview.options;
    assert.deepEqual(options, { enableScripts: true, enableForms: false, enableCommandUris: false });
    assert.deepEqual(localResourceRoots?.map(({ path }) => path), ['/ext/dist/webviews']);
    assert.match(webview.html, /src="https:\/\/csp\.test\/ext\/dist\/webviews\/chat\/main\.js"/);
  });

  test('every page has its own nonce', () => {
    const nonce = (): string | undefined => /nonce-([\w-]+)/.exec(setUp().webview.html)?.[1];
    const first = nonce();
    assert.ok(first && first.length >= 32);
    assert.notEqual(first, nonce());
  });
});

suite('webviews: the transport', () => {
  test('nothing is sent before ready; then the state, then what was kept', async () => {
    const { webview, host } = setUp((message, self) => { if (message.type === 'ready') self.post(state()); });
    host.post(notice);
    host.post({ type: 'running', turnId: 't' }); // part of the state
    host.post(prefill);
    assert.deepEqual(webview.delivered, []);
    await webview.fromView({ type: 'ready' });
    assert.deepEqual(webview.delivered.map(({ type }) => type), ['state', 'notice', 'prefill']);
  });

  test('the state may take its time and still comes first', async () => {
    const { webview, host } = setUp(async (message, self) => {
      if (message.type !== 'ready') return;
      await settle();
      self.post(state());
    });
    host.post(notice);
    await webview.fromView({ type: 'ready' });
    await settle();
    assert.deepEqual(webview.delivered.map(({ type }) => type), ['state', 'notice']);
  });

  test('a hidden view loses nothing that its next state does not repeat', async () => {
    const { webview, host } = setUp((message, self) => { if (message.type === 'ready') self.post(state()); });
    await webview.fromView({ type: 'ready' });
    webview.live = false;
    host.post(notice);
    await settle();
    host.post(prefill);
    host.post({ type: 'running', turnId: 't' });
    webview.live = true;
    webview.delivered.length = 0;
    await webview.fromView({ type: 'ready' });
    assert.deepEqual(webview.delivered.map(({ type }) => type), ['state', 'notice', 'prefill']);
  });

  test('what is not in the protocol is logged and dropped', async () => {
    const { webview, received, logged } = setUp();
    for (const bad of [null, 1, 'ready', {}, { type: 'nope' }, { type: 'ask' }, { type: 'decide', approvalId: 'x', decision: 'maybe' }, { type: 'action', action: 'workbench.action.terminal.new' }, { type: 'openLocation', path: 'a', line: 0 }]) await webview.fromView(bad);
    assert.deepEqual(received, []);
    assert.equal(logged.length, 9);
    await webview.fromView({ type: 'stop' });
    assert.deepEqual(received, [{ type: 'stop' }]);
  });

  test('a handler that fails is logged, and the next message is handled', async () => {
    const { webview, received, logged } = setUp((message) => { if (message.type === 'stop') throw new Error('no'); });
    await webview.fromView({ type: 'stop' });
    await webview.fromView({ type: 'newChat' });
    assert.deepEqual([received.length, logged], [2, ['A webview message could not be handled']]);
  });

  test('after dispose nothing is sent or received', async () => {
    const { webview, host, received } = setUp();
    await webview.fromView({ type: 'ready' });
    host.dispose();
    host.post(notice);
    await webview.fromView({ type: 'stop' });
    assert.deepEqual([received.length, webview.delivered.length], [1, 0]);
  });
});
