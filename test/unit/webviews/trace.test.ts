import assert from 'node:assert/strict';
import type { TraceTurn } from '../../../src/protocol/trace.js';
import { budgetSentence, gateLabel, hopCache, hopOutcome, hopTimes, prettyArguments, rowCells, toolPath, toolSubject, toolFacts } from '../../../src/webviews/trace/describe.js';
import { layOut, niceCeiling, percentOf, type Row, type ToolRow, unaccountedMs, waitingRow } from '../../../src/webviews/trace/layout.js';
import { elapsedMs, initialTraceState, reduceTrace } from '../../../src/webviews/trace/traceState.js';
import { askEvents, commandApproval, editEvents, traceMessage, traceOf } from '../../support/webviews/recorded.js';

const finished = traceOf(askEvents);
const running = traceOf(editEvents('t2'));

suite('webviews: the waterfall', () => {
  test('a row for each hop, each tool and the gate', () => {
    const { rows, axisMs, ticksMs } = layOut(finished, 0);
    assert.deepEqual(rows.map(({ id }) => id), ['hop1', 'hop1tool0', 'hop1tool1', 'hop2', 'gate']);
    assert.deepEqual([axisMs, ticksMs], [5000, [0, 1000, 2000, 3000, 4000, 5000]]);
  });

  test('the parts of a hop follow one another from its start', () => {
    const { rows } = layOut(finished, 0);
    assert.deepEqual(rows[0]?.segments, [
      { kind: 'queue', startMs: 0, durationMs: 12 }, { kind: 'restore', startMs: 12, durationMs: 40 },
      { kind: 'prefill', startMs: 52, durationMs: 560 }, { kind: 'decode', startMs: 612, durationMs: 280 },
    ]);
    assert.deepEqual(rows[1]?.segments, [{ kind: 'tool', startMs: 903, durationMs: 41 }]);
    assert.equal(rows[3]?.segments[0]?.startMs, 950);
  });

  test('no bar leaves the axis, whatever the figures say', () => {
    for (const turn of [finished, running, { ...finished, durationMs: 10 }]) {
      const { rows, axisMs } = layOut(turn, 100_000);
      for (const { segments } of rows) for (const { startMs, durationMs } of segments) {
        const from = percentOf(startMs, axisMs);
        const to = percentOf(startMs + durationMs, axisMs);
        assert.ok(from >= 0 && to <= 100 && to >= from);
      }
    }
  });

  test('waiting for the user comes before the tool that was approved', () => {
    const approved = traceOf([
      ...editEvents('t2'),
      { type: 'approvalResolved', hop: 1, atMs: 5202, callId: 'e1', approvalId: 'approval-edit', decision: 'accepted', waitedMs: 4000 },
      { type: 'toolFinished', hop: 1, atMs: 5230, callId: 'e1', name: 'propose_edit', outcome: 'ok', toolMs: 28, approvalMs: 4000, resultBytes: 60, truncated: false, summary: 'changed', result: '' },
    ]);
    const row = layOut(approved, 5300).rows.find(({ kind }) => kind === 'tool');
    assert.deepEqual(row?.segments, [{ kind: 'wait', startMs: 1201, durationMs: 4000 }, { kind: 'tool', startMs: 5201, durationMs: 28 }]);
  });

  test('the start of a server stands apart: before the first hop as a row, in a call between the decision and the tool', () => {
    const started = traceOf([
      ...editEvents('t2').slice(0, 1), { type: 'serverStarted', hop: 0, atMs: 400, server: 'files', coldMs: 400 }, ...editEvents('t2').slice(1),
      { type: 'approvalResolved', hop: 1, atMs: 5202, callId: 'e1', approvalId: 'approval-edit', decision: 'accepted', waitedMs: 4000 },
      { type: 'serverStarted', hop: 1, atMs: 5502, callId: 'e1', server: 'files', coldMs: 300 },
      { type: 'toolFinished', hop: 1, atMs: 5530, callId: 'e1', name: 'mcp_files_read', outcome: 'ok', toolMs: 28, approvalMs: 4000, resultBytes: 60, truncated: false, summary: 'files: read', result: '' },
    ]);
    const { rows } = layOut(started, 5600);
    assert.deepEqual([rows[0]?.kind, rows[0]?.segments, rows[0]?.ms], ['start', [{ kind: 'start', startMs: 0, durationMs: 400 }], 400]);
    const row = rows.find((one): one is ToolRow => one.kind === 'tool');
    assert.deepEqual(row?.segments, [{ kind: 'wait', startMs: 1201, durationMs: 4000 }, { kind: 'start', startMs: 5201, durationMs: 300 }, { kind: 'tool', startMs: 5501, durationMs: 28 }]);
    assert.equal(row?.ms, 4328);
    assert.deepEqual(row && toolFacts(row).slice(1, 3), [{ name: 'tool', value: '28 ms' }, { name: 'cold start of files', value: '300 ms' }]);
  });

  test('what runs grows with the clock, what is finished does not', () => {
    const working = traceOf(editEvents('t2').slice(0, -1));
    const tool = (now: number): Row | undefined => layOut(working, now).rows.find(({ kind }) => kind === 'tool');
    assert.deepEqual(tool(3201)?.segments, [{ kind: 'running', startMs: 1201, durationMs: 2000 }]);
    assert.equal(tool(4201)?.ms, 3000);
    assert.deepEqual(layOut(finished, 99_999).rows, layOut(finished, 0).rows);
    const model = traceOf(editEvents('t2').slice(0, 2));
    assert.deepEqual(layOut(model, 700).rows[0]?.segments, [{ kind: 'running', startMs: 0, durationMs: 700 }]);
  });

  test('a call that waits for a decision grows as waiting for the user, a second question after the first', () => {
    const tool = (turn: TraceTurn, now: number): Row | undefined => layOut(turn, now).rows.find(({ kind }) => kind === 'tool');
    assert.deepEqual(tool(running, 3202)?.segments, [{ kind: 'wait', startMs: 1202, durationMs: 2000, open: true }]);
    assert.equal(waitingRow(layOut(running, 3202).rows)?.id, 'hop1tool0');
    const again = traceOf([
      ...editEvents('t2'),
      { type: 'approvalResolved', hop: 1, atMs: 2202, callId: 'e1', approvalId: 'approval-edit', decision: 'accepted', waitedMs: 1000 },
      { type: 'approvalRequested', hop: 1, atMs: 2210, callId: 'e1', approval: commandApproval },
    ]);
    assert.deepEqual(tool(again, 2300)?.segments, [{ kind: 'wait', startMs: 1201, durationMs: 1000 }, { kind: 'wait', startMs: 2210, durationMs: 90, open: true }]);
    assert.equal(waitingRow(layOut({ ...running, running: false }, 0).rows), undefined);
  });

  test('the axis ends at a round figure', () => {
    assert.deepEqual([1000, 1001, 2100, 2600, 5001, 99_000].map(niceCeiling), [1000, 2000, 2500, 5000, 10_000, 100_000]);
  });
});

suite('webviews: what the trace says', () => {
  test('figures of a hop', () => {
    const hop = finished.hops[1]!;
    assert.deepEqual(hopTimes(hop).map(({ value }) => value), ['0 ms', '24,171 tokens · in memory', '0 tokens · 0 ms', '484 tokens · 546 ms · 886 tok/s', '143 tokens · 2,165 ms · 66 tok/s', '0 ms']);
    assert.deepEqual(hopCache(hop).map(({ value }) => value), ['24,655 tokens', '24,171 tokens (98.0 %)', '91 MiB', '3.8 KiB']);
    const ahead = hopCache({ ...hop, stats: { ...hop.stats!, tokensAhead: 1_200 } });
    assert.deepEqual(ahead[2], { name: 'of these before you asked', value: '1,200 read while you typed' });
    const stats = { ...hop.stats!, tokensRestored: 24_000, restoreMs: 41 };
    assert.deepEqual(hopTimes({ ...hop, stats }).slice(1, 3), [{ name: 'reused', value: '171 tokens · in memory' }, { name: 'restored', value: '24,000 tokens · 41 ms' }]);
    assert.equal(budgetSentence(finished, finished.gate!), 'Steps 2 of 15, tokens 765 of 32k, 3.66 s of 2 min.');
    assert.equal(unaccountedMs(finished.hops[0]!), 903 - 892);
    assert.deepEqual(rowCells(layOut(finished, 0).rows[0]!), { input: '24,171', cached: '99.6 %', output: '42', ms: '903' });
    assert.ok(hopOutcome(hop).includes('It answered and called no tool.'));
  });

  test('what the policy said about a call, and why', () => {
    const events = [...editEvents('t2').slice(0, -1), { type: 'policyDecided', hop: 1, atMs: 1202, callId: 'e1', verdict: 'allow', reason: 'You allowed edits in this folder for this session.' } as const];
    const row = layOut(traceOf(events), 1300).rows.find((r) => r.kind === 'tool');
    assert.ok(row);
    assert.deepEqual(toolFacts(row).find(({ name }) => name === 'policy'), { name: 'policy', value: 'allowed: You allowed edits in this folder for this session.' });
  });

  test('the gate is told by sign and words, not by colour alone', () => {
    assert.deepEqual(gateLabel(finished), { sign: '✓', text: 'gate: answered, no tool call', kind: 'done' });
    assert.equal(gateLabel({ ...finished, partial: true }).sign, '■');
    assert.equal(gateLabel({ ...finished, gate: { ...finished.gate!, gate: 'error' } }).sign, '✕');
    assert.deepEqual(gateLabel(running), { sign: '?', text: 'waiting for your decision', kind: 'waiting' });
    assert.equal(gateLabel(traceOf(editEvents('t2').slice(0, -1))).kind, 'running');
    const { gate: _, ...broken } = finished;
    assert.equal(gateLabel(broken).text, 'broken off');
  });

  test('arguments, whole or cut off', () => {
    const tool = finished.hops[0]!.tools[1]!;
    assert.equal(toolPath(tool), 'src/sidecar/snapshotStore.ts');
    assert.equal(toolSubject(tool), 'src/sidecar/snapshotStore.ts');
    assert.equal(prettyArguments({ ...tool, arguments: '{"a":1}' }), '{\n  "a": 1\n}');
    assert.deepEqual([toolPath({ ...tool, arguments: '{"path":"a.ts","x":"b…' }), prettyArguments({ ...tool, arguments: '{"a…' })], [undefined, '{"a…']);
  });

  test('only the selected turn is shown, and it runs on by the view\'s clock', () => {
    const turns = { type: 'turns', turns: [{ turnId: 't2', question: 'q', at: 0 }], selected: 't2' } as const;
    let state = reduceTrace(initialTraceState, turns, 0);
    state = reduceTrace(state, traceMessage(running, 9_000), 1000);
    assert.equal(reduceTrace(state, traceMessage(finished), 1001), state);
    assert.equal(elapsedMs(state, 1500), 9_500);
    assert.equal(elapsedMs(reduceTrace(state, traceMessage(running, -5), 1000), 1500), running.durationMs + 500, 'a clock that was set back');
    assert.equal(reduceTrace(state, { ...turns, selected: 'other' }, 2).turn, undefined);
  });
});
