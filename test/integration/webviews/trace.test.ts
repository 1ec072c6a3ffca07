import assert from 'node:assert/strict';
import type { Browser } from 'playwright-core';
import { buildViews, launch, openView, themes, type View, type ViewOptions } from '../../support/webviews/harness.js';
import { askEvents, editEvents, traceMessage, traceOf } from '../../support/webviews/recorded.js';

/** The shipped trace bundle in a real Chromium. */
suite('webviews in Chromium: trace', () => {
  let browser: Browser;
  let view: View<'trace'>;
  const turn = traceOf(askEvents);
  const turns = { type: 'turns', turns: [{ turnId: 't1', question: turn.question, at: turn.startedAt }, { turnId: 't0', question: 'older', at: 0 }], selected: 't1' } as const;
  const running = { type: 'turns', turns: [{ turnId: 't2', question: 'q', at: 0 }], selected: 't2' } as const;
  const open = async (options: ViewOptions = {}): Promise<void> => { view = await openView(browser, 'trace', { width: 1000, height: 420, ...options }); };

  suiteSetup(async function () {
    this.timeout(60_000);
    await buildViews();
    browser = await launch();
  });
  suiteTeardown(() => browser.close());
  teardown(async () => {
    assert.deepEqual([view.errors, view.foreignRequests], [[], []]);
    await view.close();
  });

  test('empty until a turn comes', async () => {
    await open();
    await view.send({ type: 'turns', turns: [], selected: null });
    await view.page.getByText('No turn yet').waitFor();
  });

  test('rows, figures, the goal line at 800 ms', async () => {
    await open();
    await view.send(turns, traceMessage(turn));
    const rows = await view.page.locator('tbody tr').allInnerTexts();
    assert.deepEqual(rows.map((row) => row.replace(/\s+/g, ' ').trim()), [
      '1 model → search_text, read_file 24,171 99.6 % 42 903', 'search_text "fingerprint" 25 B 1.9 kB 41', 'read_file "src/sidecar/snapshotStore.ts" 71 B 3.1 kB 3',
      '2 model → answer 24,655 98.0 % 143 2,711', '✓ gate: answered, no tool call 3,662',
    ]);
    const [bar, goal] = await Promise.all(['.bar', '.goal'].map((selector) => view.page.locator(`tbody ${selector}`).first().boundingBox()));
    assert.ok(bar && goal && Math.abs((goal.x - bar.x) / bar.width - 800 / 5000) < 0.01);
    assert.equal(await view.page.locator('.bar').first().getAttribute('aria-label'), 'queue 12 ms, restore 40 ms, prefill 0.56 s, decode 0.28 s');
  });

  test('arrow keys walk the grid with one tab stop, and the details follow', async () => {
    await open();
    await view.send(turns, traceMessage(turn));
    const grid = view.page.getByRole('grid');
    await grid.waitFor();
    assert.equal(await view.page.locator('tbody tr[tabindex="0"]').count(), 1);
    assert.match(await view.page.locator('.details').innerText(), /hop 2, where the time went/i);
    await view.page.locator('tbody tr[tabindex="0"]').focus();
    await view.page.keyboard.press('Home');
    await view.page.keyboard.press('ArrowDown');
    await view.page.keyboard.press('ArrowDown');
    assert.equal(await view.page.evaluate(() => (document.activeElement as HTMLElement).dataset['row']), 'hop1tool1');
    assert.match(await view.page.locator('.details').innerText(), /"start_line": 12/);
    await view.page.getByRole('button', { name: 'Open src/sidecar/snapshotStore.ts' }).click();
    assert.deepEqual(await view.waitFor('openLocation'), { type: 'openLocation', path: 'src/sidecar/snapshotStore.ts' });
    await view.page.locator('tbody tr[tabindex="0"]').focus();
    await view.page.keyboard.press('End');
    assert.match(await view.page.locator('.details').innerText(), /2 of 15[^]*765 of 32,000/);
    assert.equal(await view.page.locator('[aria-selected="true"]').count(), 1);
  });

  test('picker, export and the way to the chat', async () => {
    await open();
    await view.send(turns, traceMessage(turn));
    await view.page.getByLabel('Turn', { exact: true }).selectOption('t0');
    assert.deepEqual(await view.waitFor('select'), { type: 'select', turnId: 't0' });
    await view.page.getByRole('button', { name: 'export' }).click();
    await view.waitFor('export');
    await view.page.getByRole('button', { name: 'show in chat' }).click();
    assert.deepEqual(await view.waitFor('showChat'), { type: 'showChat', turnId: 't1' });
  });

  test('a running turn grows on its own, and the selection stays through updates', async () => {
    await open();
    const events = editEvents('t2').slice(0, -1); // started, and nothing asked yet
    await view.send(running, traceMessage(traceOf(events)));
    const segment = view.page.locator('.bar .segment.running');
    const width = async (): Promise<number> => Number(/running ([\d.]+) (?:ms|s)/.exec(await view.page.locator('[data-row="hop1tool0"] .bar').getAttribute('aria-label') ?? '')?.[1] ?? 0);
    await segment.waitFor();
    await view.page.locator('[data-row="hop1tool0"]').click();
    const before = await width();
    await view.page.waitForTimeout(500);
    assert.notEqual(await width(), before);
    await view.send(traceMessage(traceOf([...editEvents('t2'), { type: 'approvalResolved', hop: 1, atMs: 5202, callId: 'e1', approvalId: 'approval-edit', decision: 'rejected', waitedMs: 4000 }])));
    await view.page.getByText('your decision').waitFor();
    assert.equal(await view.page.locator('[aria-selected="true"]').getAttribute('data-row'), 'hop1tool0');
  });

  test('a call that waits for a decision says so everywhere, grows, and leads to the chat', async () => {
    await open();
    await view.send(running, traceMessage(traceOf(editEvents('t2')), 61_202));
    const row = view.page.locator('[data-row="hop1tool0"]');
    await row.getByText('waiting for your decision').waitFor();
    assert.equal(await row.getAttribute('aria-selected'), 'true', 'what the user has to do is what is shown');
    const waited = async (): Promise<string> => await row.locator('.bar').getAttribute('aria-label') ?? '';
    assert.match(await waited(), /^waiting for you 1 min/, 'the time before the view was opened counts');
    const width = async (): Promise<number> => (await row.locator('.segment.wait.open').boundingBox())?.width ?? 0;
    const before = await width();
    await view.page.waitForTimeout(600);
    assert.ok(await width() > before, 'the bar grows');
    assert.equal(await view.page.locator('.segment.running').count(), 0);
    assert.match(await view.page.locator('[data-row="gate"]').innerText(), /waiting for your decision/);
    assert.match(await view.page.locator('[role="status"]').innerText(), /propose_edit is waiting for your decision/);
    assert.match(await view.page.locator('.details').innerText(), /waiting for you\s+1 min[^]*outcome\s+waiting for your decision/i);
    await view.page.getByRole('button', { name: 'Decide in the Chat' }).click();
    assert.deepEqual(await view.waitFor('showChat'), { type: 'showChat', turnId: 't2' });

    await view.send(traceMessage(traceOf([...editEvents('t2'), { type: 'approvalResolved', hop: 1, atMs: 61_202, callId: 'e1', approvalId: 'approval-edit', decision: 'accepted', waitedMs: 60_000 }])));
    await view.page.locator('.segment.running').waitFor();
    assert.equal(await view.page.getByText('waiting for your decision').count(), 0);
    assert.equal(await view.page.getByRole('button', { name: 'Decide in the Chat' }).count(), 0);
  });

  test('parts of a bar differ by pattern, not by colour alone, in all four themes', async () => {
    for (const theme of themes) {
      await open({ theme });
      await view.send(turns, traceMessage(turn));
      const looks = await view.page.locator('.legend .segment').evaluateAll((all) => all.map((element) => getComputedStyle(element).backgroundImage));
      assert.equal(new Set(looks).size, looks.length, theme);
      if (theme !== themes.at(-1)) await view.close();
    }
  });

  test('figures of the axis never touch, and the toolbar stays in one line in a panel of ordinary width', async () => {
    await open({ width: 730 });
    await view.send(turns, traceMessage(turn));
    await view.page.getByRole('grid').waitFor();
    for (const width of [1200, 1000, 730, 500, 300]) {
      await view.page.setViewportSize({ width, height: 420 });
      const ticks = (await view.page.locator('.tick').evaluateAll((all) => all.map((tick) => tick.getBoundingClientRect()).map(({ left, right }) => [left, right]))).filter(([left = 0, right = 0]) => right > left);
      assert.ok(ticks.length >= 2);
      ticks.forEach(([left = 0], index) => assert.ok(index === 0 || left >= (ticks[index - 1]?.[1] ?? 0) + 2, `${width} pixels: figure ${index} of ${JSON.stringify(ticks)}`));
      const { height } = await view.page.locator('.toolbar').boundingBox() ?? { height: 0 };
      assert.ok(width < 700 || height < 45, `${width} pixels: the toolbar is ${height} high`);
    }
  });

  test('nothing leaves the page at 300 pixels', async () => {
    await open({ width: 300 });
    await view.send(turns, traceMessage(turn));
    await view.page.getByRole('grid').waitFor();
    assert.equal(await view.page.evaluate(() => document.documentElement.scrollWidth), 300);
  });
});
