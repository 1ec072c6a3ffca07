import assert from 'node:assert/strict';
import type { AgentEvent } from '../../../src/protocol/agentEvents.js';
import { announcement } from '../../../src/webviews/chat/model/announcements.js';
import { initialChatState, reduceChat } from '../../../src/webviews/chat/model/chatState.js';
import { gateKind, gateSummary, saysMore } from '../../../src/webviews/chat/model/gateText.js';
import { answerText, foldEvent, hopProse, markDecided, newTurn, pendingApproval, turnViewOf, type TurnView } from '../../../src/webviews/chat/model/turnView.js';
import { answer, askEvents, askTurn, editEvents, runningTurn, state } from '../../support/webviews/recorded.js';

const fold = (events: readonly AgentEvent[]): TurnView => events.reduce(foldEvent, newTurn('t', 'question', []));

suite('webviews: a turn as the chat shows it', () => {
  test('the recorded turn: tools, tokens, gate, answer', () => {
    const turn = turnViewOf(askTurn);
    assert.deepEqual(turn.hops.map(({ tools }) => tools.map(({ call, outcome, toolMs }) => [call.name, outcome, toolMs])), [[['search_text', 'ok', 41], ['read_file', 'ok', 3]], []]);
    assert.deepEqual(turn.tokens, { cached: 24_171, read: 580, written: 185 });
    assert.equal(turn.firstTokenMs, 620);
    assert.equal(answerText(turn), answer);
    assert.equal(gateSummary(turn), 'answered, 2 of 15 steps · 24,171 tokens cached, 580 read, 185 written · 3.66 s');
    assert.equal(turn.gate && gateKind(turn.gate.gate, turn.partial), 'done');
    assert.deepEqual(
      [saysMore('done', 'Answered after 2 steps and 1 tool call.'), saysMore('done', 'Answered after 2 steps and 1 tool call; checked: no new errors in a.ts.'), saysMore('stopped', 'Out.')],
      [false, true, true],
    );
  });

  test('text arrives as the answer of the last hop, and becomes prose once that hop calls a tool', () => {
    const started = fold([...askEvents.slice(0, 2), { type: 'textDelta', hop: 1, text: 'Let me ' }, { type: 'textDelta', hop: 1, text: 'look.' }]);
    assert.equal(answerText(started), 'Let me look.');
    const call = foldEvent(started, askEvents[5] as AgentEvent);
    assert.equal(answerText(call), '');
    assert.equal(hopProse(call, call.hops[0]!), 'Let me look.');
  });

  test('progress ends with the first token', () => {
    const reading = fold(askEvents.slice(0, 3));
    assert.deepEqual(reading.progress, { phase: 'prefill', done: 60, total: 96 });
    assert.equal(foldEvent(reading, { type: 'firstToken', hop: 1, atMs: 5 }).progress, undefined);
  });

  test('the time to the first token is without the time in which the user was asked', () => {
    const asked = fold([
      { type: 'approvalResolved', hop: 1, atMs: 4_000, callId: 'c', approvalId: 'a', decision: 'accepted', waitedMs: 3_500 }, { type: 'hopStarted', hop: 2, atMs: 4_010 },
      { type: 'firstToken', hop: 2, atMs: 4_200 }, { type: 'firstToken', hop: 3, atMs: 9_000 },
    ]);
    assert.equal(asked.firstTokenMs, 700);
  });

  test('a malformed call takes back what was streamed and leaves a note', () => {
    const turn = fold([{ type: 'textDelta', hop: 1, text: '{"name": "sear' }, { type: 'malformedCall', hop: 1, atMs: 9, raw: '', problem: 'not JSON', repair: 'retrying' }]);
    assert.deepEqual([turn.hops[0]?.text, turn.hops[0]?.notes], ['', ['tool call not understood, asking again: not JSON']]);
  });

  test('an approval is pending once, sent once, and then what the host says', () => {
    const asked = fold(editEvents('t'));
    assert.equal(pendingApproval(asked)?.approval.id, 'approval-edit');
    const sent = markDecided(asked, 'approval-edit');
    assert.equal(pendingApproval(sent), undefined);
    assert.equal(markDecided(sent, 'approval-edit').hops[0]?.tools[0]?.approval?.state, 'sent');
    const resolved: AgentEvent = { type: 'approvalResolved', hop: 1, atMs: 9, callId: 'e1', approvalId: 'approval-edit', decision: 'rejected', waitedMs: 7 };
    assert.equal(markDecided(foldEvent(asked, resolved), 'approval-edit').hops[0]?.tools[0]?.approval?.state, 'rejected');
    assert.equal(foldEvent(sent, resolved).hops[0]?.tools[0]?.approval?.state, 'rejected');
    assert.equal(foldEvent(sent, { ...resolved, approvalId: 'another' }).hops[0]?.tools[0]?.approval?.state, 'sent');
    assert.equal(markDecided(asked, 'forged'), asked);
  });

  test('hops that an event does not touch keep their identity', () => {
    const before = fold(askEvents.slice(0, 10));
    const after = foldEvent(before, { type: 'textDelta', hop: 2, text: 'x' });
    assert.equal(after.hops[0], before.hops[0]);
  });
});

suite('webviews: the state of the chat', () => {
  test('a stored conversation and the same one live end alike', () => {
    const live = [state(), ...runningTurn('t1', askTurn.question, askEvents)].reduce(reduceChat, initialChatState);
    const stored = reduceChat(initialChatState, state({}, [{ ...askTurn, attachments: [] }]));
    assert.deepEqual(live.turns, stored.turns);
  });

  test('events of an unknown turn change nothing', () => {
    const loaded = reduceChat(initialChatState, state());
    assert.equal(reduceChat(loaded, { type: 'event', turnId: 'other', event: askEvents[0]! }), loaded);
  });

  test('a turn that is asked again starts empty in its place', () => {
    const two = reduceChat(reduceChat(initialChatState, state({}, [askTurn])), { type: 'turnAdded', turnId: 't2', question: 'next', attachments: [] });
    const again = reduceChat(two, { type: 'turnAdded', turnId: 't1', question: askTurn.question, attachments: [] });
    assert.deepEqual(again.turns.map(({ id, finished }) => [id, finished]), [['t1', false], ['t2', false]]);
  });

  test('a prepared question and a draft are told apart', () => {
    const loaded = reduceChat(initialChatState, state({ draft: { text: 'half a tho', attachments: [] } }));
    assert.deepEqual([loaded.input.kind, loaded.input.text], ['draft', 'half a tho']);
    const prefilled = reduceChat(loaded, { type: 'prefill', text: 'Explain', attachments: [], focus: true });
    assert.deepEqual([prefilled.input.kind, prefilled.input.text, prefilled.input.key], ['prefill', 'Explain', loaded.input.key + 1]);
  });

  test('a screen reader hears the finished answer and the question for approval, not the tokens', () => {
    let view = [state(), ...runningTurn('t1', 'q', askEvents.slice(0, 10))].reduce(reduceChat, initialChatState);
    const heard: string[] = [];
    for (const event of askEvents.slice(10)) {
      const next = reduceChat(view, { type: 'event', turnId: 't1', event });
      const text = announcement(view, next);
      if (text !== undefined) heard.push(text);
      view = next;
    }
    assert.equal(heard.length, 1);
    assert.match(heard[0]!, /^Because its header carries the build.*answered, 2 of 15 steps/s);
    const asked = [state(), ...runningTurn('t2', 'q', editEvents('t2').slice(0, -1))].reduce(reduceChat, initialChatState);
    const pending = reduceChat(asked, { type: 'event', turnId: 't2', event: editEvents('t2').at(-1)! });
    assert.equal(announcement(asked, pending), 'Approval needed: edit of src/sidecar/snapshotStore.ts');
  });
});
