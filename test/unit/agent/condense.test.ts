import assert from 'node:assert/strict';
import { condense, type Window } from '../../../src/agent/condense.js';
import type { ChatMessage } from '../../../src/protocol/chat.js';
import { answer, call, calls, countWords, ScriptedModel } from './support/scriptedModel.js';
import { echo, only, run } from './support/turns.js';

const user = (content: string): ChatMessage => ({ role: 'user', content });
const said = (content: string): ChatMessage => ({ role: 'assistant', content });
const hop = (id: string, args: Record<string, unknown>, result: string): ChatMessage[] => [
  { role: 'assistant', content: '', toolCalls: [{ id, name: 'read_file', arguments: args }] },
  { role: 'tool', callId: id, name: 'read_file', content: result },
];
const shrink = (window: Window, limit: number): ReturnType<typeof condense> => condense(window, limit, (m) => Promise.resolve(countWords(m)));
const long = 'line of code\n'.repeat(200);

suite('condensing', () => {
  test('what fits is left alone, byte for byte', async () => {
    const window = { messages: [user('goal'), ...hop('1', { path: 'a' }, long)], goal: 0 };
    const result = await shrink(window, 10_000);
    assert.equal(result.messages, window.messages);
    assert.deepEqual([result.results, result.fits], [0, true]);
  });

  test('the oldest results go first, to a stub that says how to get them back; the newest stay', async () => {
    const window = { messages: [user('goal'), ...hop('1', { path: 'src/a.ts' }, long), ...hop('2', { path: 'b' }, long), ...hop('3', { path: 'c' }, long)], goal: 0 };
    const { messages, results, fits, tokensBefore, tokensAfter } = await shrink(window, 1_800);
    assert.equal(messages[2]?.content, '[Left out to save context: read_file (path src/a.ts), 2,600 bytes. Call it again if you need it.]');
    assert.deepEqual([messages[6]?.content, messages[0]?.content], [long, 'goal']);
    assert.ok(fits && results >= 1 && tokensAfter < tokensBefore && tokensAfter <= 1_800);
  });

  test('then earlier turns go, and the next question says so', async () => {
    const window = { messages: [user('one ' + long), said('first ' + long), user('two ' + long), said('second'), user('goal')], goal: 4 };
    const result = await shrink(window, 400);
    assert.deepEqual(result.messages, [user('[2 earlier questions were left out to save context.]\n\ngoal')]);
    assert.deepEqual([result.goal, result.fits], [0, true]);
    const one = await shrink({ messages: [user('one ' + long), said('first ' + long), user('two'), said('second'), user('goal')], goal: 4 }, 400);
    assert.equal(one.messages[0]?.content, '[1 earlier question was left out to save context.]\n\ntwo');
  });

  test('a turn with calls and a nudge in it goes as a whole', async () => {
    const window = { messages: [user('one'), ...hop('1', { path: 'a' }, 'x'), user('nudge ' + long), said('first'), user('goal')], goal: 5 };
    const { messages } = await shrink(window, 200);
    assert.deepEqual(messages.map(({ role }) => role), ['user']);
  });

  test('then long arguments, at last the newest results themselves', async () => {
    const edit: ChatMessage[] = hop('1', { path: 'a', new: long }, 'ok');
    const { messages, fits } = await shrink({ messages: [user('goal'), ...edit, ...hop('2', { path: 'b' }, long + long + long)], goal: 0 }, 400);
    assert.ok(fits);
    const first = messages[1];
    assert.deepEqual(first?.role === 'assistant' && first.toolCalls?.[0]?.arguments, { path: 'a', new: '[Left out to save context: 2600 characters]' });
    assert.match(messages[4]?.content ?? '', /^line[^[]*\[Cut to save context: this is the beginning of 7,800 characters\. Ask for a smaller part\.\]$/);
  });

  test('what every prompt begins with cannot be given up, so it does not make more of the rest go', async () => {
    const window = { messages: [user('goal'), ...hop('1', { path: 'a' }, long), ...hop('2', { path: 'b' }, long), ...hop('3', { path: 'c' }, long)], goal: 0 };
    const remembered = 24_000;
    const alone = await shrink(window, 1_800);
    const withMemory = await condense(window, remembered + 1_800, (m) => Promise.resolve(remembered + countWords(m)));
    assert.deepEqual(withMemory.messages, alone.messages);
    assert.deepEqual([withMemory.results, withMemory.fits, withMemory.tokensAfter - remembered], [alone.results, true, alone.tokensAfter]);
  });

  test('the goal is kept even when nothing helps', async () => {
    const { messages, fits } = await shrink({ messages: [user('old'), said('x'), user('goal ' + long)], goal: 2 }, 100);
    assert.ok(!fits);
    assert.ok(messages.at(-1)?.content.endsWith('goal ' + long));
  });

  test('no prompt of a long turn exceeds the context, system prompt and goal stand in each', async () => {
    const contextSize = 2_048;
    const replies = [...Array.from({ length: 12 }, (_, i) => calls(call('echo', { value: `part ${i}` }))), answer('Done.')];
    const tool = echo('echo', 'read', (value) => ({ outcome: 'ok', content: `${value}\n${long}`, summary: value, truncated: false }));
    const { model, events, result } = await run({ model: new ScriptedModel(replies, contextSize), tools: [tool], goal: 'The goal stays.' });
    assert.equal(result.gate, 'answered');
    for (const request of model.requests) {
      assert.ok(countWords(request.messages) + request.maxTokens <= contextSize, 'prompt and answer fit');
      assert.equal(request.messages[0]?.role, 'system');
      assert.ok(request.messages.some(({ content }) => content.endsWith('The goal stays.')));
    }
    const condensed = only(events, 'condensed');
    assert.ok(condensed.length > 1 && condensed.length < 12, 'and not at every hop');
    assert.ok(condensed.every(({ tokensBefore, tokensAfter }) => tokensAfter < tokensBefore));
  });
});
