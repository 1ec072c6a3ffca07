import fs from 'node:fs';
import path from 'node:path';
import type { Frame, Page } from 'playwright-core';
import * as z from 'zod';
import { screenshots } from './paths.js';

/**
 * What a test in the extension host may ask of the page that shows it. `view` picks a webview by a selector that only its
 * document matches; without it the workbench itself is meant. Times in milliseconds.
 */
const target = { view: z.string().optional(), timeout: z.number().positive().default(15_000) };
const onElement = { ...target, selector: z.string() };
export const request = z.discriminatedUnion('action', [
  z.object({ action: z.literal('click'), ...onElement, button: z.enum(['left', 'right']).default('left') }),
  z.object({ action: z.literal('fill'), ...onElement, text: z.string() }),
  z.object({ action: z.literal('waitFor'), ...onElement, state: z.enum(['attached', 'detached', 'visible', 'hidden']).default('visible') }),
  z.object({ action: z.literal('texts'), ...onElement }),
  z.object({ action: z.literal('count'), ...onElement }),
  z.object({ action: z.literal('attribute'), ...onElement, name: z.string() }),
  z.object({ action: z.literal('type'), ...target, text: z.string(), delay: z.number().default(0) }),
  z.object({ action: z.literal('press'), ...target, key: z.string() }),
  z.object({ action: z.literal('evaluate'), ...target, expression: z.string() }),
  z.object({ action: z.literal('screenshot'), name: z.string().regex(/^[\w.-]+$/), ...target }),
]);
export type PageRequest = z.input<typeof request>;

/** Carries one request out on the page; the result is plain data. Throws playwright's error when the page does not come to it. */
export async function perform(page: Page, raw: unknown): Promise<unknown> {
  const wanted = request.parse(raw);
  if (wanted.action === 'screenshot') {
    fs.mkdirSync(screenshots, { recursive: true });
    await page.screenshot({ path: path.join(screenshots, `${wanted.name}.png`) });
    return undefined;
  }
  if (wanted.action === 'type') return page.keyboard.type(wanted.text, { delay: wanted.delay });
  if (wanted.action === 'press') return page.keyboard.press(wanted.key);
  const frame = await frameOf(page, wanted.view, wanted.timeout);
  if (wanted.action === 'evaluate') return frame.evaluate<unknown>(wanted.expression);

  const { timeout } = wanted;
  const found = frame.locator(wanted.selector);
  switch (wanted.action) {
    case 'click': return found.first().click({ timeout, button: wanted.button });
    case 'fill': return found.first().fill(wanted.text, { timeout });
    case 'waitFor': return found.first().waitFor({ state: wanted.state, timeout });
    case 'texts': return found.allInnerTexts();
    case 'count': return found.count();
    case 'attribute': return found.first().getAttribute(wanted.name, { timeout });
  }
}

/** VS Code wraps a webview's document in two nested frames and gives neither a name that says which view it is. */
async function frameOf(page: Page, view: string | undefined, timeout: number): Promise<Frame> {
  if (view === undefined) return page.mainFrame();
  const deadline = Date.now() + timeout;
  for (;;) {
    for (const frame of page.frames()) {
      if (frame === page.mainFrame()) continue;
      // A frame may go away while it is looked at.
      const matches = await frame.locator(view).count().catch(() => 0);
      if (matches > 0) return frame;
    }
    if (Date.now() > deadline) {
      throw new Error(`no webview matches ${view} after ${timeout} ms; frames: ${page.frames().map(frame => frame.url().slice(0, 120)).join(' ')}`);
    }
    await page.waitForTimeout(100);
  }
}
