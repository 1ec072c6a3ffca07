import assert from 'node:assert/strict';
import { modelParts, toChromeTrace } from '../../../src/trace/chrome.js';
import { foldTurn, interruptedTurn } from '../../../src/trace/fold.js';
import type { AgentEvent } from '../../../src/protocol/agentEvents.js';
import type { TraceTurn } from '../../../src/protocol/trace.js';
import { toOtlp, type OtlpSpan } from '../../../src/trace/otlp.js';
import { fromOtlp } from '../../../src/trace/otlpRead.js';
import { events, fold } from './turns.js';

const spansOf = (turnId = 't1'): OtlpSpan[] => toOtlp([fold(events(turnId))]).resourceSpans.flatMap((r) => r.scopeSpans.flatMap((s) => s.spans));

/** The tree as text: name, start and length in milliseconds, and the attributes that a reader looks for. */
function tree(spans: readonly OtlpSpan[], parent?: OtlpSpan, depth = 0): string[] {
  const start = BigInt(spans[0]?.startTimeUnixNano ?? 0);
  return spans.filter((span) => span.parentSpanId === parent?.spanId).flatMap((span) => {
    const ms = (nano: bigint): string => String(Number(nano) / 1e6);
    const attributes = Object.fromEntries(span.attributes.map(({ key, value }) => [key, Object.values(value)[0] as unknown]));
    const picked = ['gen_ai.usage.input_tokens', 'gen_ai.usage.cache_read.input_tokens', 'gen_ai.usage.output_tokens', 'loupe.queue_ms', 'loupe.restore_ms', 'loupe.prefill_ms', 'loupe.decode_ms', 'loupe.tool_ms', 'loupe.approval_ms', 'loupe.outcome', 'loupe.gate', 'error.type']
      .filter((key) => attributes[key] !== undefined).map((key) => `${key.split('.').at(-1)}=${String(attributes[key])}`);
    const line = `${'  '.repeat(depth)}${span.name} ${ms(BigInt(span.startTimeUnixNano) - start)}+${ms(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano))} ${picked.join(' ')}`;
    return [line.trimEnd(), ...tree(spans, span, depth + 1)];
  });
}

suite('trace spans', () => {
  test('golden span tree', () => {
    assert.deepEqual(tree(spansOf()), [
      'invoke_agent loupe 0+5801.125 gate=error type=sidecar.crashed',
      '  chat Qwen 0.5+409.75 input_tokens=900 input_tokens=0 output_tokens=12 queue_ms=1.5 restore_ms=0 prefill_ms=300 decode_ms=108 outcome=nothing',
      '  chat Qwen 411+5199 input_tokens=950 input_tokens=900 output_tokens=20 queue_ms=0 restore_ms=20 prefill_ms=60 decode_ms=100 outcome=read_file, propose_edit',
      '    execute_tool read_file 601+4 tool_ms=4 approval_ms=0 outcome=error type=tool.failed',
      '    execute_tool propose_edit 606+5004 tool_ms=4 approval_ms=5000 outcome=ok',
      '  chat Qwen 5611+189 input_tokens=1000 input_tokens=970 output_tokens=3 queue_ms=0 restore_ms=0 prefill_ms=50 decode_ms=100 outcome=error',
    ]);
  });

  test('OTLP/JSON: hex ids, times as strings, integers as strings, kinds and status', () => {
    const spans = spansOf();
    for (const span of spans) {
      assert.match(span.traceId, /^[0-9a-f]{32}$/);
      assert.match(span.spanId, /^[0-9a-f]{16}$/);
      assert.match(span.startTimeUnixNano, /^17950000\d{11}$/);
    }
    assert.equal(new Set(spans.map(({ spanId }) => spanId)).size, spans.length);
    assert.equal(spans[0]?.startTimeUnixNano, '1795000000123000000');
    assert.deepEqual(spans[0]?.status, { code: 2, message: 'The sidecar crashed.' });
    assert.deepEqual(spans.map(({ kind }) => kind), [1, 3, 3, 1, 1, 3]);
    assert.deepEqual(spans[1]?.events?.map(({ name }) => name), ['loupe.malformed_call']);
    const attribute = (key: string): unknown => spans[2]?.attributes.find((a) => a.key === key)?.value;
    assert.deepEqual(attribute('gen_ai.operation.name'), { stringValue: 'chat' });
    assert.deepEqual(attribute('gen_ai.request.model'), { stringValue: 'Qwen' });
    assert.deepEqual(attribute('gen_ai.usage.input_tokens'), { intValue: '950' });
    assert.deepEqual(attribute('gen_ai.response.finish_reasons'), { arrayValue: { values: [{ stringValue: 'stop' }] } });
    assert.deepEqual(attribute('loupe.prefill_ms'), { doubleValue: 60 });
  });

  test('what was written is read back equal, at every point of the turn', () => {
    const all = events('t1');
    for (let n = 1; n <= all.length; n++) {
      const turn = fold(all.slice(0, n));
      assert.deepEqual(fromOtlp(JSON.parse(JSON.stringify(toOtlp([turn])))), [turn], `after ${all[n - 1]?.type}`);
    }
    const two = [fold(events('t1')), fold(events('t2', 'Another?'))];
    assert.deepEqual(fromOtlp(toOtlp(two)), two);
  });

  test('the cold start of a server is a span of its own, below the turn or the call that needed it, and no time of the tool', () => {
    const [started, ...rest] = events('t1');
    const at = rest.findIndex(({ type, ...event }) => type === 'toolFinished' && 'callId' in event && event.callId === 'c2');
    const all: AgentEvent[] = [
      started!, { type: 'serverStarted', hop: 0, atMs: 0.4, server: 'files', coldMs: 0.3 }, { type: 'serverStarted', hop: 0, atMs: 0.4, server: 'gone', coldMs: 0.2, problem: 'It ended.' },
      ...rest.slice(0, at), { type: 'serverStarted', hop: 2, atMs: 5_609, callId: 'c2', server: 'late', coldMs: 1 }, ...rest.slice(at),
    ];
    const turn = fold(all);
    assert.deepEqual(turn.starts?.map(({ server, startMs, endMs, problem }) => [server, Math.round(startMs * 10), Math.round(endMs * 10), problem]), [['files', 1, 4, undefined], ['gone', 2, 4, 'It ended.']]);
    const cold = turn.hops[1]?.tools[1]?.cold;
    assert.deepEqual([cold?.server, cold?.startMs, cold?.endMs], ['late', 5_608, 5_609]);
    const spans = toOtlp([turn]).resourceSpans.flatMap((r) => r.scopeSpans.flatMap((s) => s.spans));
    assert.deepEqual(tree(spans).filter((line) => line.includes('start_mcp')), ['  start_mcp_server files 0.1+0.3', '  start_mcp_server gone 0.2+0.2', '      start_mcp_server late 5608+1']);
    assert.equal(new Set(spans.map(({ spanId }) => spanId)).size, spans.length);
    for (let n = 1; n <= all.length; n++) {
      const part = fold(all.slice(0, n));
      assert.deepEqual(fromOtlp(JSON.parse(JSON.stringify(toOtlp([part])))), [part], `after ${all[n - 1]?.type}`);
    }
    assert.deepEqual(toChromeTrace([turn]).traceEvents.filter(({ cat }) => cat === 'servers').map(({ name, dur }) => [name, dur]), [['start files', 300], ['start gone', 200], ['start late', 1_000]]);
  });

  test('foreign and damaged documents are no turns', () => {
    for (const foreign of [undefined, null, 7, [], {}, { resourceSpans: [{}] }]) assert.equal(fromOtlp(foreign), undefined);
    const damaged = toOtlp([fold(events('t1'))]);
    damaged.resourceSpans[0]?.scopeSpans[0]?.spans[0]?.attributes.splice(5, 3);
    assert.equal(fromOtlp(damaged), undefined);
  });

  test('the time to the first token is without the time in which the user was asked', () => {
    const later = events('t1').filter((event) => !(event.type === 'firstToken' && event.hop === 2));
    assert.equal(fold(later).firstTokenMs, 700, 'at 5,700 ms, of which 5,000 were the user\'s');
  });

  test('folding keeps sizes and times, and a cut of long arguments', () => {
    const turn = fold(events('t1'));
    assert.deepEqual([turn.firstTokenMs, turn.running, turn.partial, turn.durationMs], [500, false, true, 5_801.125]);
    assert.deepEqual(turn.hops.map(({ textBytes }) => textBytes), [0, 14, 4]);
    assert.deepEqual(turn.hops[1]?.tools[1], {
      callId: 'c2', spanId: turn.hops[1]?.tools[1]?.spanId, name: 'propose_edit', class: 'write', startMs: 606, endMs: 5_610, toolMs: 4, approvalMs: 5_000,
      argumentBytes: 29, resultBytes: 12, truncated: true, outcome: 'ok', policy: { verdict: 'ask', reason: 'Changing a file needs your approval.' }, decision: 'accepted', summary: 'src/a.ts changed', arguments: '{"path":"src/a.ts","new":"x"}',
    });
    const started = fold(events('t1').slice(0, 2));
    const call = { id: 'c', name: 'n', arguments: { x: 'y'.repeat(9_999) } };
    assert.equal(foldTurn(started, { type: 'toolStarted', hop: 1, atMs: 1, call, class: 'read', argumentBytes: 9_999 }).hops[0]?.tools[0]?.arguments.length, 2_001);
    assert.throws(() => foldTurn(undefined, { type: 'hopStarted', hop: 1, atMs: 0 }), /cannot begin/);
  });

  test('a call waits from the question to the decision, and never in a turn that has ended', () => {
    const all = events('t1');
    const asked = all.findIndex(({ type }) => type === 'approvalRequested');
    const waiting = (turn: TraceTurn): (number | undefined)[] => turn.hops.flatMap(({ tools }) => tools.map(({ waitingSinceMs }) => waitingSinceMs));
    assert.deepEqual(waiting(fold(all.slice(0, asked))), [undefined, undefined]);
    const turn = fold(all.slice(0, asked + 1));
    assert.deepEqual(waiting(turn), [undefined, 607]);
    assert.deepEqual(waiting(fold(all.slice(0, asked + 2))), [undefined, undefined]);
    const cut = foldTurn(turn, { type: 'turnFinished', at: 0, atMs: 700, answer: '', partial: true });
    for (const over of [cut, interruptedTurn(turn)]) {
      assert.deepEqual(waiting(over), [undefined, undefined]);
      assert.ok(!JSON.stringify(toOtlp([over])).includes('waiting_since'));
    }
  });

  test('Chrome trace: parts of a model call follow each other inside their hop', () => {
    const turn = fold(events('t1'));
    const { traceEvents } = toChromeTrace([turn]);
    const row = (cat: string): string[] => traceEvents.filter((e) => e.cat === cat && e.ph === 'X').map((e) => `${e.name} ${((e.ts ?? 0) - turn.startedAt * 1000) / 1000}+${(e.dur ?? 0) / 1000}`);
    assert.deepEqual(row('model'), ['queue 0.5+1.5', 'prefill 2+300', 'decode 302+108', 'restore 411+20', 'prefill 431+60', 'decode 491+100', 'prefill 5611+50', 'decode 5661+100']);
    assert.deepEqual(row('tools'), ['read_file 601+4', 'propose_edit 606+5004']);
    assert.deepEqual(row('turn'), ['turn 0+5801.125']);
    assert.equal(traceEvents.filter((e) => e.name === 'gate: error').length, 1);
    assert.deepEqual(modelParts({ ...turn.hops[0], stats: undefined } as never), []);
  });
});
