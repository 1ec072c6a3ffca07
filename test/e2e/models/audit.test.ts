import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { screenshot, webview } from '../../support/workbench/page.js';
import { modelTimeout } from '../support/chatPage.js';

const report = webview('h1:has-text("Loupe: memory audit")');

suite('memory audit of a loaded model (real 0.5B model)', function () {
  this.timeout(modelTimeout);

  test('names the model and its weights, what a token costs, and what each format would give', async () => {
    await vscode.commands.executeCommand('loupe.auditMemory');
    await report.waitFor('table');
    await screenshot('memory-audit');
    const rows = (await report.texts('tr')).map((row) => row.replaceAll('\t', ' | ').trim());
    const text = [...await report.texts('h2'), ...rows].join('\n');
    assert.match(text, /^Qwen2\.5-Coder 0\.5B Instruct \(chat\)$/m);
    assert.match(text, /^Weights \| 4\d\d\.\d MiB$/m);
    assert.match(text, /^Context \| 4,096 tokens, for each of 2 conversations at a time$/m);
    assert.match(text, /^Layers \| 24, all keep every token$/m);
    // Which engine is loaded decides what "balanced" is; the packaged one is ours on Linux.
    const own = process.platform === 'linux';
    assert.match(text, own ? /^Engine \| Loupe's own/m : /^Engine \| prebuilt/m);
    assert.equal(/The prebuilt engine is in use/.test((await report.texts('p')).join('\n')), !own);
    assert.match(text, /^KV cache \| balanced: \w+/m);
    // 24 layers of two heads with 64 elements, keys and values, two bytes each
    assert.match(text, /^exact \| f16 \| 12\.0 KiB \| 100 % \| 96\.0 MiB \| [\d,]+ tokens \| /m);
    assert.match(text, /^balanced \(now\)/m);
    const fits = (preset: string): number => Number((new RegExp(`^${preset}.*\\| ([\\d,]+) tokens`, 'm').exec(text)?.[1] ?? '0').replaceAll(',', ''));
    assert.ok(fits('smallest') >= fits('exact') && fits('exact') >= 4096, text);
  });
});
