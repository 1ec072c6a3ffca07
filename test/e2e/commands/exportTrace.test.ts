import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { press, screenshot, workbench } from '../../support/workbench/page.js';
import { setUserSettings, settled, trace, until, workspaceRoot } from '../support/chatPage.js';
import { clearNotices, noticeWith, pressInNotice } from '../support/notices.js';

const input = '.quick-input-widget .quick-input-box input';
interface Span { readonly name: string; readonly traceId: string; readonly parentSpanId?: string }
interface Otlp { readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Span[] }[] }[] }

async function exportTo(format: string, target: string, picture?: string): Promise<void> {
  void vscode.commands.executeCommand('loupe.exportTrace');
  await answer(format, target, picture);
}

/** Drives both dialogs: the format, then VS Code's own dialog for the path. */
async function answer(format: string, target: string, picture?: string): Promise<void> {
  await workbench.click(`.quick-input-widget .monaco-list-row:has-text("${format}")`);
  await workbench.waitFor('.quick-input-widget .quick-input-title:has-text("Export Trace")');
  await until(async () => /loupe\.\w+\.json/.test(String(await workbench.evaluate(`document.querySelector('${input}')?.value`))), 'the dialog offers a file name');
  await workbench.fill(input, target);
  await settled(); // the dialog looks at the folder first
  if (picture) await screenshot(picture);
  await press('Enter');
  await workbench.waitFor('.quick-input-widget', { state: 'hidden' });
}

suite('export of the trace through the dialog', function () {
  this.timeout(60_000);
  teardown(clearNotices);
  suiteTeardown(() => setUserSettings({ 'git.enabled': false })); // for the phase that follows

  test('OpenTelemetry: a document with the spans of every turn', async () => {
    const file = join(workspaceRoot(), 'out.otlp.json');
    await exportTo('OpenTelemetry', file, 'export-trace');
    await noticeWith('The trace was exported to out.otlp.json');
    await screenshot('export-trace-done');
    const { resourceSpans } = JSON.parse(readFileSync(file, 'utf8')) as Otlp;
    const spans = resourceSpans.flatMap((r) => r.scopeSpans.flatMap((s) => s.spans));
    const roots = spans.filter((span) => !span.parentSpanId);
    assert.ok(roots.length >= 7, `${roots.length} turns`);
    assert.equal(new Set(spans.map((span) => span.traceId)).size, roots.length, 'a trace for each turn');
    for (const root of roots) assert.ok(spans.some((span) => span.traceId === root.traceId && span.parentSpanId), `spans inside ${root.name}`);
  });

  test('Chrome trace, from the panel: events of the turns', async () => {
    await vscode.commands.executeCommand('loupe.showTrace');
    await trace.waitFor('body');
    const file = join(workspaceRoot(), 'out.trace.json');
    await exportTo('Chrome trace', file);
    await noticeWith('The trace was exported to out.trace.json');
    const { traceEvents } = JSON.parse(readFileSync(file, 'utf8')) as { traceEvents: { name: string; ph: string; ts?: number }[] };
    assert.ok(traceEvents.filter((event) => event.ph === 'X').length >= 14, `${traceEvents.length} events`);
  });

  test('Escape exports nothing', async () => {
    const done = vscode.commands.executeCommand('loupe.exportTrace');
    await workbench.waitFor('.quick-input-widget .monaco-list-row:has-text("OpenTelemetry")');
    await press('Escape');
    await done;
    assert.equal(existsSync(join(workspaceRoot(), 'loupe.otlp.json')), false);
  });

  test('where nothing can be written it says so, and the trace is kept', async function () {
    if (process.platform !== 'linux') this.skip();
    await exportTo('OpenTelemetry', '/proc/loupe.otlp.json');
    assert.match(await noticeWith('The trace could not be written'), /It is kept: export it again/);
    await screenshot('export-trace-failed');
    await pressInNotice('The trace could not be written', 'Export Again');
    const file = join(workspaceRoot(), 'again.otlp.json');
    await answer('OpenTelemetry', file);
    await noticeWith('The trace was exported to again.otlp.json');
    assert.equal(readFileSync(file, 'utf8'), readFileSync(join(workspaceRoot(), 'out.otlp.json'), 'utf8'));
  });
});
