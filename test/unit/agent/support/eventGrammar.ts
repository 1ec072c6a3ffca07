import assert from 'node:assert/strict';
import type { AgentEvent } from '../../../../src/protocol/agentEvents.js';
import type { TurnResult } from '../../../../src/agent/turn.js';

/**
 * The order that events of a turn keep, whatever happens. Every test that runs a turn checks it:
 *
 *   turn  = turnStarted serverStarted* hop* note? gate turnFinished
 *   hop   = hopStarted condensed? model* modelFinished tool*
 *   model = modelProgress | firstToken | textDelta | malformedCall
 *   tool  = toolStarted policyDecided? (approvalRequested approvalResolved)* checkpointTaken? serverStarted? toolFinished, where another preview may follow a checkpoint
 *   note  = textDelta (of the last hop)
 */
export function checkEvents(events: readonly AgentEvent[], result?: TurnResult): void {
  const rest = [...events];
  const peek = (): AgentEvent['type'] | undefined => rest[0]?.type;
  const take = <T extends AgentEvent['type']>(type: T): Extract<AgentEvent, { type: T }> => {
    const event = rest.shift();
    assert.equal(event?.type, type, `expected ${type} in ${events.map((e) => e.type).join(' ')}`);
    return event as Extract<AgentEvent, { type: T }>;
  };
  take('turnStarted');
  while (peek() === 'serverStarted') {
    const { hop, callId } = take('serverStarted');
    assert.deepEqual([hop, callId], [0, undefined], 'before the first hop no call needs a server');
  }
  let hop = 0;
  const ids = new Set<string>();
  const approvals = new Set<string>();
  while (peek() === 'hopStarted') {
    assert.equal(take('hopStarted').hop, ++hop, 'hops are numbered from 1');
    if (peek() === 'condensed') assert.equal(take('condensed').hop, hop);
    let text = '';
    let first = false;
    while (['modelProgress', 'firstToken', 'textDelta', 'malformedCall'].includes(peek() ?? '')) {
      const event = rest.shift();
      if (event?.type === 'firstToken') {
        assert.ok(!first && text === '', 'the first token comes once and first');
        first = true;
      }
      if (event?.type === 'textDelta') {
        assert.ok(first, 'text comes after the first token');
        text += event.text;
      }
    }
    const finished = take('modelFinished');
    assert.equal(finished.text, text, 'deltas add up to the text');
    for (const call of finished.calls) {
      assert.ok(!ids.has(call.id), `call id ${call.id} is unique`);
      ids.add(call.id);
    }
    while (peek() === 'toolStarted') {
      const { call } = take('toolStarted');
      assert.ok(finished.calls.some(({ id }) => id === call.id), 'only calls of the hop run');
      if (peek() === 'policyDecided') assert.match(take('policyDecided').reason, /^[A-Z"].*[.]$/s, 'a reason is a sentence');
      while (peek() === 'approvalRequested' || peek() === 'checkpointTaken') {
        if (peek() === 'checkpointTaken') {
          take('checkpointTaken');
          continue;
        }
        const { approval } = take('approvalRequested');
        assert.ok(!approvals.has(approval.id), 'an approval id is good once');
        approvals.add(approval.id);
        assert.equal(take('approvalResolved').approvalId, approval.id);
      }
      if (peek() === 'serverStarted') assert.equal(take('serverStarted').callId, call.id);
      const done = take('toolFinished');
      assert.equal(done.callId, call.id);
      assert.ok(done.result.trim() !== '' && done.toolMs >= 0 && done.approvalMs >= 0);
      assert.equal(done.resultBytes, Buffer.byteLength(done.result));
    }
  }
  if (peek() === 'textDelta') assert.equal(take('textDelta').hop, hop, 'the note belongs to the last hop');
  const gate = take('gate');
  assert.match(gate.reason, /^[A-Z].*[.]/s, 'a reason is a sentence');
  assert.equal(gate.spent.steps, hop);
  const end = take('turnFinished');
  assert.deepEqual(rest, []);
  assert.equal(end.partial, gate.gate !== 'answered', 'all but an answer is partial');
  const times = events.flatMap((event) => ('atMs' in event ? [event.atMs] : []));
  assert.deepEqual(times, [...times].sort((a, b) => a - b), 'times do not go back');
  if (!result) return;
  assert.equal(result.answer, end.answer);
  assert.equal(result.gate, gate.gate);
  checkHistory(result);
}

/** Chat formats demand: every call has its result right after it, and the turn ends with the assistant. */
function checkHistory({ messages }: TurnResult): void {
  assert.equal(messages.at(-1)?.role, 'assistant');
  let open: string[] = [];
  messages.forEach((message, index) => {
    if (message.role === 'tool') {
      assert.equal(message.callId, open.shift(), 'results follow their calls in order');
      return;
    }
    assert.deepEqual(open, [], 'no call without a result');
    assert.notEqual(message.role, 'system');
    if (message.role === 'user') assert.notEqual(messages[index - 1]?.role, 'user', 'user messages do not follow each other');
    if (message.role === 'assistant') open = (message.toolCalls ?? []).map(({ id }) => id);
  });
}
