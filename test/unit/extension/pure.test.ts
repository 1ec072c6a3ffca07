import { strict as assert } from 'node:assert';
import { errorCodes, makeError } from '../../../src/base/errors.js';
import { commands } from '../../../src/protocol/commands.js';
import type { KvAudit } from '../../../src/protocol/sidecar.js';
import { placeCode } from '../../../src/extension/chat/placeCode.js';
import { chooseRepository } from '../../../src/extension/commands/chooseRepository.js';
import { newFilesDiff } from '../../../src/extension/commands/newFilesDiff.js';
import { auditReport, formatBytes } from '../../../src/extension/commands/auditReport.js';
import { codeQuestion } from '../../../src/agent/codeQuestions.js';
import { cleanCommitMessage, commitMessages } from '../../../src/agent/commitPrompt.js';
import { nextSteps } from '../../../src/extension/nextSteps.js';
import { resolveSetting } from '../../../src/extension/settingsReader.js';
import { activityAfter, statusText } from '../../../src/extension/statusText.js';

suite('settings reader', () => {
  test('an application-scoped setting ignores the workspace', () => {
    assert.equal(resolveSetting('loupe.endpoint.url', { workspaceValue: 'http://evil', workspaceFolderValue: 'http://evil' }), '');
    assert.equal(resolveSetting('loupe.endpoint.url', { globalValue: 'http://mine', workspaceValue: 'http://evil' }), 'http://mine');
  });
  test('a window setting takes the nearest level', () => {
    assert.equal(resolveSetting('loupe.inline.enabled', { globalValue: true, workspaceValue: false }), false);
  });
  test('a wrong value gives the default, a number its limit', () => {
    assert.equal(resolveSetting('loupe.kv.preset', { globalValue: 'q2_k' }), 'balanced');
    assert.equal(resolveSetting('loupe.agent.maxSteps', { globalValue: 1e9 }), 100);
    assert.equal(resolveSetting('loupe.agent.maxSteps', { globalValue: '3' }), 15);
    assert.equal(resolveSetting('loupe.inline.languages', { globalValue: { python: false } }).python, false);
    assert.equal(resolveSetting('loupe.inline.languages', { globalValue: { python: false } })['*'], true);
  });
});

suite('code from an answer', () => {
  const file = 'function a() {\n  return 1;\n}\n\nclass B {\n  run() {\n    return 2;\n  }\n}\n';
  test('replaces the selection', () => {
    assert.equal(placeCode('1\n2\n3\n', 'x\n', { start: 1, end: 2 }), '1\nx\n3\n');
  });
  test('replaces the function of the same first line', () => {
    const placed = placeCode(file, 'function a() {\n  return 42;\n}', { start: 0, end: 0 });
    assert.equal(placed, file.replace('return 1', 'return 42'));
  });
  test('moves to the indentation of its place', () => {
    const placed = placeCode(file, 'run() {\n  return 3;\n}', { start: 0, end: 0 });
    assert.equal(placed, file.replace('    return 2', '    return 3'));
  });
  test('goes to the cursor when it belongs nowhere else, and keeps CRLF', () => {
    assert.equal(placeCode('1\r\n2\r\n', 'x', { start: 1, end: 1 }), '1\r\nx\r\n2\r\n');
  });
});

suite('next steps', () => {
  test('name commands that exist, for every error code', () => {
    for (const code of errorCodes) {
      for (const step of nextSteps(code)) assert.ok(step.command in commands || step.command.startsWith('workbench.'), `${code}: ${step.command}`);
    }
    assert.equal(nextSteps('model.none')[0]?.command, 'loupe.chooseModel');
    assert.equal(nextSteps('endpoint.unauthorized')[0]?.command, 'loupe.setEndpointKey');
  });
});

suite('status bar text', () => {
  test('says the state, then the hop, then the state again', () => {
    const badge = { state: 'none', label: 'No model', detail: 'd' } as const;
    assert.equal(statusText(badge, undefined).warning, true);
    const hop = activityAfter({ type: 'hopStarted', hop: 2, atMs: 1 }, 'starting');
    assert.equal(statusText(badge, hop).text, '$(loading~spin) Loupe: hop 2, reading');
    assert.equal(activityAfter({ type: 'textDelta', hop: 2, text: 'x' }, hop), hop);
    assert.equal(activityAfter({ type: 'turnFinished', at: 1, atMs: 1, answer: '', partial: false }, hop), undefined);
  });
  test('waits for the user only until the decision', () => {
    const waiting = activityAfter({ type: 'approvalRequested', hop: 1, atMs: 1, callId: 'c', approval: { id: 'a', kind: 'command', command: 'x', cwd: '/' } }, 'hop 1, run_command');
    assert.match(waiting ?? '', /waiting for your/);
    assert.doesNotMatch(activityAfter({ type: 'approvalResolved', hop: 1, atMs: 2, callId: 'c', approvalId: 'a', decision: 'accepted', waitedMs: 1 }, waiting) ?? '', /waiting/);
  });
  test('says how far checking, loading and downloading are', () => {
    for (const state of ['checking', 'loading', 'downloading'] as const) assert.match(statusText({ state, label: 'X', detail: '', fraction: 0.409 }, undefined).text, / Loupe 40%$/);
    assert.match(statusText({ state: 'checking', label: 'X', detail: '', fraction: 0.4 }, undefined).label, /checking the model file\. X/);
  });
  test('says how far the repository is remembered, but only beside a model that is ready', () => {
    const ready = { state: 'ready', label: 'M', detail: 'd' } as const;
    const texts = ([
      { state: 'cold' }, { state: 'waiting', until: 'idle' }, { state: 'indexing', done: 0, total: 0 }, { state: 'indexing', done: 5, total: 10 },
      { state: 'warming', done: 4399, total: 10_000 }, { state: 'warm', tokens: 23_412, bytes: 2 ** 26 }, { state: 'off', why: 'cancelled' },
    ] as const).map((memory) => statusText(ready, undefined, memory));
    assert.deepEqual(texts.map(({ text }) => text.replace('$(search) Loupe', '')), ['', ' · cold', ' · indexing', ' · indexing 50 %', ' · warming 43 %', ' · warm', '']);
    assert.match(texts[5]!.tooltip, /^M\nd\nRepository remembered: 23,412 tokens, 64\.0 MiB on disk\./);
    assert.match(texts[4]!.label, /Repository memory: warming 43 %$/);
    const error = makeError('snapshot.diskFull', 'The disk is full.', 'Free some space.');
    const failed = statusText(ready, undefined, { state: 'failed', error });
    assert.equal(failed.warning, true);
    assert.match(failed.tooltip, /The disk is full\. Free some space\.$/);
    assert.equal(statusText({ ...ready, state: 'idle' }, undefined, { state: 'failed', error }).warning, false);
    assert.equal(statusText(ready, 'hop 2, reading', { state: 'warm', tokens: 1, bytes: 1 }).text, '$(loading~spin) Loupe: hop 2, reading');
  });
  test('the label for screen readers has words instead of icons', () => {
    assert.doesNotMatch(statusText({ state: 'failed', label: 'X', detail: '' }, undefined).label, /\$\(/);
  });
});

suite('prompts of the commands', () => {
  test('code questions', () => {
    const place = { path: 'src/a.ts', startLine: 3, endLine: 9, name: 'load' };
    assert.equal(codeQuestion('loupe.explain', place), 'Explain what `load` in src/a.ts (lines 3-9) does, how it works and what it depends on.');
    assert.equal(codeQuestion('loupe.document', { path: 'a.py', startLine: 1, endLine: 2 }), 'Write the documentation comment for lines 1-2 of a.py, in the style this repository uses, and propose it as an edit.');
  });
  test('a long diff is cut at a line and says so', () => {
    const user = commitMessages('line one\nline two\nline three', 12).at(-1)?.content ?? '';
    assert.match(user, /^line one\n\[truncated: 20 of 28 characters left out\]/);
  });
  test('fences and quotes around a commit message are removed', () => {
    assert.equal(cleanCommitMessage('```\nAdd x\n\nBecause y.\n```'), 'Add x\n\nBecause y.');
    assert.equal(cleanCommitMessage('"Add x"'), 'Add x');
    assert.equal(cleanCommitMessage('Add `x`\n'), 'Add `x`');
  });
});

suite('memory audit', () => {
  test('report', () => {
    const audit: KvAudit = {
      role: 'chat', model: 'M', weightsBytes: 2 ** 30, contextSize: 8192, sequences: 1,
      engine: { llamaCpp: 'v1', binding: 'loupe', formatVersion: 1, formats: ['kv5', 'kv4'], isa: 'avx2', gpu: 'none', threads: 2 },
      kvPreset: 'balanced', kv: { keys: 'kv5', values: 'kv4', windowF16: true, f16Rows: 0 },
      layers: { total: 28, global: 28, slidingWindow: 0, window: 0 }, bytesPerTokenGrowing: 8288, bytesWindow: 0, bytesTail: 0, bytesTotal: 8288 * 8192,
      tokensUsed: 1200, freeRamBytes: 4 * 2 ** 30,
      presets: [
        { preset: 'exact', kv: { keys: 'f16', values: 'f16', windowF16: true, f16Rows: 0 }, bytesPerToken: 28672, bytesTotal: 28672 * 8192, contextThatFits: 149796 },
        { preset: 'balanced', kv: { keys: 'kv5', values: 'kv4', windowF16: true, f16Rows: 0 }, bytesPerToken: 8288, bytesTotal: 8288 * 8192, contextThatFits: 500000 },
      ],
    };
    const report = auditReport([audit]);
    assert.match(report, /\| Engine \| Loupe's own \(avx2\), llama.cpp v1 \|/);
    assert.match(report, /\| KV cache \| balanced: kv5 \/ kv4 \|/);
    assert.match(report, /\| KV in total \| 64\.8 MiB \|/);
    assert.match(report, /\| exact \| f16 \| 28\.0 KiB \| 100 % \| 224\.0 MiB \| 149,796 tokens \|/);
    assert.match(report, /\| balanced \(now\) \| kv5 \/ kv4 \| 8\.1 KiB \| 29 % \| 64\.8 MiB \| 500,000 tokens \|/);
    assert.doesNotMatch(report, /prebuilt|\*/);
    const fallen = { ...audit, kvNote: 'Why it is larger.', engine: { ...audit.engine, binding: 'stock' as const, isa: '', bindingNote: 'The prebuilt engine is in use.' } };
    assert.match(auditReport([fallen]), /\| Engine \| prebuilt, llama.cpp v1 \|[^]*\nThe prebuilt engine is in use\.\n\nWhy it is larger\.\n/);
    assert.match(report, /\| Context \| 8,192 tokens \|/);
    assert.match(auditReport([{ ...audit, sequences: 2 }]), /\| Context \| 8,192 tokens, for each of 2 conversations at a time \|/);
    assert.equal(formatBytes(512), '512 B');
    assert.doesNotMatch(report, /remembered/);
  });

  test('what is remembered: each repository and model once, in the cache only where that model is loaded', () => {
    const kv = { keys: 'kv5', values: 'kv4', windowF16: true, f16Rows: 640 } as const;
    const audit = {
      role: 'chat', model: 'Tiny', engine: { llamaCpp: 'v1', binding: 'loupe', formatVersion: 1, formats: [], isa: '', gpu: 'none', threads: 2 }, weightsBytes: 1, contextSize: 8192, sequences: 2,
      kvPreset: 'balanced', kv, layers: { total: 1, global: 1, slidingWindow: 0, window: 0 }, bytesPerTokenGrowing: 1024, bytesWindow: 0, bytesTail: 2 * 2 ** 20, bytesTotal: 1, tokensUsed: 0, freeRamBytes: 1, presets: [],
    } satisfies KvAudit;
    const state = { memory: '/code/a|b', model: 'tiny file', kv, tokens: 4096, bytes: 3 * 2 ** 20, f16Bytes: 16 * 2 ** 20, createdAt: 0, lastUsedAt: 0 };
    const snapshots = [{ ...state, tokens: 2048, bytes: 2 ** 20, f16Bytes: 8 * 2 ** 20 }, state, { ...state, model: 'Other' }];
    const report = auditReport([audit], { snapshots, bytes: 7 * 2 ** 20, budgetBytes: 4e9, names: ['tiny file'] }).replaceAll('\u00a0', ' ');
    assert.match(report, /\| \/code\/a\\\|b \| Tiny \| kv5 \/ kv4 \| 4,096 \| 5\.0 MiB \| 4\.0 MiB \| 16\.0 MiB \| 31 % \|/);
    assert.match(report, /\| Other \| kv5 \/ kv4 \| 4,096 \| not loaded \| 3\.0 MiB \| 16\.0 MiB \| 19 % \|/);
    assert.match(report, /1\.0 MiB of it is the same for any length/);
    assert.match(report, /On disk 7\.0 MiB of at most 3\.73 GiB/);
    assert.match(auditReport([audit], { snapshots: [], bytes: 0, budgetBytes: 4e9, names: [] }), /Nothing yet\./);
  });
});

suite('git', () => {
  const at = (fsPath: string): { rootUri: { fsPath: string } } => ({ rootUri: { fsPath } });
  test('the repository is that of the folder or inside it, never a neighbour', () => {
    const [neighbour, deep, inside] = [at('/code/other'), at('/code/app/vendor/lib'), at('/code/app/core')];
    assert.equal(chooseRepository('/code/app', [neighbour, deep, inside]), inside);
    assert.equal(chooseRepository('/code/app', [neighbour, at('/code/app-old')]), undefined);
    assert.equal(chooseRepository('/code/app', [at('/code/app/..hidden')])?.rootUri.fsPath, '/code/app/..hidden');
  });
  test('new files are shown as git shows added ones', () => {
    const encoded = (text: string): Uint8Array => new TextEncoder().encode(text);
    assert.equal(newFilesDiff([{ path: 'a.ts', content: encoded('one\ntwo\n') }]),
      'diff --git a/a.ts b/a.ts\nnew file\n--- /dev/null\n+++ b/a.ts\n@@ -0,0 +1,2 @@\n+one\n+two\n');
    assert.match(newFilesDiff([{ path: 'a', content: encoded('x') }]), /\+x\n\\ No newline/);
    assert.match(newFilesDiff([{ path: 'a.png', content: new Uint8Array([1, 0, 2]) }]), /Binary files .* differ/);
    assert.match(newFilesDiff([{ path: 'big', content: undefined }]), /not shown/);
    assert.equal(newFilesDiff([]), '');
  });
});
