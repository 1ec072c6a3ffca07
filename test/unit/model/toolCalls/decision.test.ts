import assert from 'node:assert/strict';
import type { ChatMessage, ToolDefinition } from '../../../../src/protocol/chat.js';
import { decide, type Decision, repeatsItself } from '../../../../src/model/toolCalls/decision.js';

const tool = (name: string, safety?: 'reads' | 'asks'): ToolDefinition => ({ name, description: '', parameters: {}, ...(safety === undefined ? {} : { safety }) });
const tools = [tool('read', 'reads'), tool('edit', 'asks'), tool('unknown')];
const question: ChatMessage = { role: 'user', content: 'x' };
const call = (name: string, path: string): ChatMessage[] => [
  { role: 'assistant', content: '', toolCalls: [{ id: '1', name, arguments: { path } }] }, { role: 'tool', callId: '1', name, content: 'result' },
];

suite('call or answer', () => {
  const check = (name: string, probabilities: readonly number[], messages: readonly ChatMessage[], expected: Decision, eager?: boolean): void => {
    test(name, () => assert.equal(decide(probabilities, tools, messages, eager), expected));
  };
  check('leans to a tool that reads: call', [0.4, 0.5, 0, 0], [question], 'call');
  check('leans to none: answer', [0.7, 0.3, 0, 0], [question], 'answer');
  check('leans to a tool that asks first: answer', [0.4, 0, 0.5, 0], [question], 'answer');
  check('rather sure of a tool that asks first: call', [0.2, 0, 0.5, 0], [question], 'call');
  check('leans to a tool of which nothing is known: answer', [0.1, 0, 0, 0.8], [question], 'answer');
  check('nearly sure of it: a second look', [0.01, 0, 0, 0.9], [question], 'lookAgain');
  check('leans to none, but a look helps for certain: call', [0.7, 0.3, 0, 0], [question], 'call', true);
  check('quite sure of none all the same: answer', [0.95, 0.05, 0, 0], [question], 'answer', true);
  check('nothing says that a look helps: answer', [0.4, 0.5, 0, 0], [question], 'answer', false);
  check('nothing says so, but the model is rather sure: call', [0.2, 0.5, 0, 0], [question], 'call', false);
  check('a look helps, but the tool asks first: answer', [0.4, 0, 0.5, 0], [question], 'answer', true);
  check('one result is there: as before', [0.4, 0.5, 0, 0], [question, ...call('read', 'a')], 'call');
  check('three results are there: sooner an answer', [0.4, 0.5, 0, 0], [question, ...call('read', 'a'), ...call('read', 'b'), ...call('read', 'c')], 'answer');
  check('results of an earlier turn do not count', [0.4, 0.5, 0, 0], [question, ...call('read', 'a'), ...call('read', 'b'), ...call('read', 'c'), question], 'call');
});

suite('repeated calls', () => {
  const check = (name: string, messages: readonly ChatMessage[], repeats: boolean): void => {
    test(name, () => assert.equal(repeatsItself({ name: 'read', arguments: { path: 'a' } }, tools, messages), repeats));
  };
  check('the first call', [question], false);
  check('the same call again', [question, ...call('read', 'a')], true);
  check('other arguments', [question, ...call('read', 'b')], false);
  check('the same call after another that reads', [question, ...call('read', 'a'), ...call('read', 'b')], true);
  check('the same call after an edit', [question, ...call('read', 'a'), ...call('edit', 'a')], false);
  check('the same call in a new turn', [question, ...call('read', 'a'), question], false);
});
