import assert from 'node:assert/strict';
import type { TurnInput } from '../../../src/agent/turn.js';
import { ok } from '../../../src/base/result.js';
import { turnRunner } from '../../../src/extension/chat/turnRunner.js';
import type { AskingConversation } from '../../../src/extension/memory/conversationMemory.js';
import type { ChatModel } from '../../../src/model/chatModel.js';
import type { ChatMessage } from '../../../src/protocol/chat.js';

const model = { info: { name: 'M', kind: 'local', contextSize: 8192 } } as ChatModel;

/** Runs one turn; gives what the agent got and what was asked about its memory. */
async function turn(history: readonly ChatMessage[], blocks: readonly string[] | undefined): Promise<{ input: TurnInput | undefined; asked: readonly AskingConversation[] }> {
  const asked: AskingConversation[] = [];
  let input: TurnInput | undefined;
  const run = turnRunner({
    acquire: () => Promise.resolve(ok(model)),
    attachments: () => Promise.resolve(''),
    agent: async function* agent(_model, given) {
      input = given;
      yield { type: 'hopStarted', hop: 1, atMs: 0 };
      return { messages: [] };
    },
    memoryOf: (conversation) => {
      asked.push(conversation);
      return Promise.resolve(blocks && { mode: 'whole', blocks });
    },
    budget: () => ({ steps: 1, tokens: 1, wallMs: 1 }),
    clock: { now: () => 0, monotonic: () => 0 },
  });
  const request = { turnId: 't', conversation: 'c', question: 'Where?', attachments: [], history, folder: 'file:///code/app' };
  for await (const _ of run(request, new AbortController().signal));
  return { input, asked };
}

suite('turn runner', () => {
  test('a turn gets what its conversation has of the memory; the first question is told from later ones', async () => {
    const first = await turn([], ['a']);
    assert.deepEqual(first.asked, [{ id: 'c', begun: false, folder: 'file:///code/app' }]);
    assert.deepEqual(first.input?.memory, { mode: 'whole', blocks: ['a'] });
    const later = await turn([{ role: 'user', content: 'x' }, { role: 'assistant', content: 'y' }], undefined);
    assert.equal(later.asked[0]?.begun, true);
    assert.ok(later.input && !('memory' in later.input));
  });
});
