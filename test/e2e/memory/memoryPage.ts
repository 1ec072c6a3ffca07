import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { workbench } from '../../support/workbench/page.js';
import { trace } from '../support/chatPage.js';

const item = '.statusbar-item[id="loupe.loupe.loupe.status"]';
export const statusItem = item;

export const isWarm = `${item} a[aria-label*="Repository memory: warm"]:not([aria-label*="warming"])`;
/** Reading a thousand tokens takes a busy machine minutes. */
export const readingTimeout = 900_000;

/** Waits until the status bar says so of the repository. */
export const statusSays = (text: string, timeout = 15_000): Promise<void> => workbench.waitFor(`${item}:has-text("· ${text}")`, { timeout });

/** Tokens and milliseconds of the first hop of the newest turn, as the trace panel shows them. */
export async function firstHop(): Promise<{ reused: number; restored: number; restoreMs: number; prefilled: number; shown: string }> {
  await vscode.commands.executeCommand('loupe.showTrace');
  await trace.waitFor('tr[data-row="hop1"]', { timeout: 30_000 });
  await trace.click('tr[data-row="hop1"]');
  await trace.waitFor('.details .facts dt:has-text("prefilled")');
  const rows = (await trace.texts('.details .facts > div')).map((row) => row.replaceAll('\n', ' '));
  const shown = rows.join('; ');
  const figures = (name: string): readonly number[] => {
    const row = rows.find((text) => text.startsWith(name));
    assert.ok(row !== undefined, shown);
    return [...row.matchAll(/[\d,.]+/g)].map(([digits]) => Number(digits.replaceAll(',', '')));
  };
  const [reused = NaN] = figures('reused');
  const [restored = NaN, restoreMs = NaN] = figures('restored');
  const [prefilled = NaN] = figures('prefilled');
  return { reused, restored, restoreMs, prefilled, shown };
}
