import { strict as assert } from 'node:assert';
import type { AgentEvent } from '../../../src/protocol/agentEvents.js';
import { emptyStats } from '../../../src/protocol/chat.js';
import { appendEvent, closeCutTurn, partialAnswer } from '../../../src/extension/chat/storedTurn.js';

const started: AgentEvent = {
  type: 'turnStarted', turnId: 't', conversation: 'c', at: 1000, goal: 'g', model: 'm', budget: { steps: 1, tokens: 1, wallMs: 1 }, zone: 'full',
};
const delta = (hop: number, text: string): AgentEvent => ({ type: 'textDelta', hop, text });

suite('stored turns', () => {
  test('deltas of one hop become one event, progress is not kept', () => {
    const all = [
      started, { type: 'hopStarted', hop: 1, atMs: 1 } as const, delta(1, 'a'), { type: 'modelProgress', hop: 1, phase: 'prefill', done: 1, total: 2 } as const,
      delta(1, 'b'), delta(2, 'c'),
    ].reduce<readonly AgentEvent[]>((events, event) => appendEvent(events, event), []);
    assert.deepEqual(all.slice(2), [delta(1, 'ab'), delta(2, 'c')]);
  });

  test('the partial answer is what the last hop said', () => {
    assert.equal(partialAnswer([delta(1, 'Let me look.'), delta(2, 'It is in '), delta(2, 'a.ts')]), 'It is in a.ts');
    assert.equal(partialAnswer([]), '');
  });

  test('a cut turn is closed as partial with its text, its time and what it spent; an approval stays undecided', () => {
    const turn = closeCutTurn({
      id: 't', question: 'q', attachments: [],
      events: [
        started, { type: 'hopStarted', hop: 1, atMs: 5 },
        { type: 'modelFinished', hop: 1, atMs: 40, stats: { ...emptyStats, tokensIn: 30, tokensCached: 10, tokensOut: 4 }, calls: [], text: '' },
        { type: 'approvalRequested', hop: 1, atMs: 50, callId: 'x', approval: { id: 'a1', kind: 'command', command: 'ls', cwd: '.' } },
        delta(2, 'half'),
      ],
    }, 9_999);
    const [gate, finished] = turn.events.slice(-2);
    assert.ok(gate?.type === 'gate' && finished?.type === 'turnFinished');
    assert.equal(gate.gate, 'error');
    assert.deepEqual(gate.spent, { steps: 1, tokens: 24, wallMs: 50 });
    assert.deepEqual([finished.answer, finished.partial, finished.at], ['half', true, 1050]);
    assert.ok(!turn.events.some((e) => e.type === 'approvalResolved'));
    assert.equal(closeCutTurn(turn, 1), turn);
  });
});
