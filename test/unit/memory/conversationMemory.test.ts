import assert from 'node:assert/strict';
import { makeError } from '../../../src/base/errors.js';
import { silentLogger } from '../../../src/base/logger.js';
import { err, ok, type Result } from '../../../src/base/result.js';
import { ConversationMemory, type MemoryOfConversation } from '../../../src/extension/memory/conversationMemory.js';
import type { Warm } from '../../../src/extension/memory/rememberOnce.js';
import type { ChatModel } from '../../../src/model/chatModel.js';
import type { MemoryPlan, PlanParams } from '../../../src/protocol/context.js';
import { chat, plan } from './scripted.js';

const { signal } = new AbortController();
const folder = 'file:///code/app';
const { model } = chat(16_384);
const warmOf = (...texts: readonly string[]): Warm => ({
  memory: { mode: 'whole', blocks: texts }, chain: texts.join('>'), budget: 8_192, blockTokens: 100 * texts.length, tokens: 50 + 100 * texts.length, bytes: 1,
});

class Chats {
  warm: Warm | undefined = warmOf('a', 'b');
  kept: Result<MemoryPlan> = ok(plan('a', 'b'));
  readonly plans: PlanParams[] = [];
  stored: Readonly<Record<string, MemoryOfConversation>> = {};
  memory = this.opened();

  /** The window is reloaded. */
  reload(): void {
    this.memory = this.opened();
  }

  async blocks(id: string, begun: boolean, asked: ChatModel = model): Promise<readonly string[] | undefined> {
    return (await this.memory.memoryOf({ id, folder, begun }, asked, signal))?.blocks;
  }

  private opened(): ConversationMemory {
    return new ConversationMemory({
      warmFor: () => this.warm,
      plan: (params) => {
        this.plans.push(params);
        return Promise.resolve(this.kept);
      },
      store: { get: () => this.stored, set: (all) => Promise.resolve(void (this.stored = all)) },
      logger: silentLogger,
    });
  }
}

suite('memory of a conversation', () => {
  test('what is warm at the first question, and the very same in all turns', async () => {
    const chats = new Chats();
    assert.deepEqual(await chats.blocks('one', false), ['a', 'b']);
    chats.warm = warmOf('a', 'b', 'note');
    assert.deepEqual(await chats.blocks('one', true), ['a', 'b']);
    assert.deepEqual(await chats.blocks('two', false), ['a', 'b', 'note']);
    chats.warm = undefined;
    assert.deepEqual(await chats.blocks('one', true), ['a', 'b']);
    assert.equal(chats.plans.length, 0);
  });

  test('begun without, it goes on without, also after a reload', async () => {
    const chats = new Chats();
    chats.warm = undefined;
    assert.equal(await chats.blocks('one', false), undefined);
    chats.warm = warmOf('a');
    assert.equal(await chats.blocks('one', true), undefined);
    chats.reload();
    assert.equal(await chats.blocks('one', true), undefined);
    assert.equal(chats.plans.length, 0);
  });

  test('what a question would get can be asked before it comes, and settles nothing', async () => {
    const chats = new Chats();
    const upcoming = (begun: boolean): Promise<unknown> => chats.memory.upcoming({ id: 'one', folder, begun }, model, signal);
    assert.deepEqual(await upcoming(false), { mode: 'whole', blocks: ['a', 'b'] });
    assert.deepEqual(chats.stored, {});
    chats.warm = warmOf('c');
    assert.deepEqual(await chats.blocks('one', false), ['c']);
    chats.warm = warmOf('d');
    assert.deepEqual(await upcoming(true), { mode: 'whole', blocks: ['c'] });
  });

  test('a first question that had no answer is a first question again', async () => {
    const chats = new Chats();
    await chats.blocks('one', false);
    chats.warm = undefined;
    assert.equal(await chats.blocks('one', false), undefined);
    assert.deepEqual(chats.stored, {});
    chats.warm = warmOf('c');
    assert.deepEqual(await chats.blocks('one', false), ['c']);
    assert.deepEqual(await chats.blocks('one', true), ['c']);
  });

  test('after a reload the kept plan gives the blocks back, without the notes that came later', async () => {
    const chats = new Chats();
    await chats.blocks('one', false);
    chats.kept = ok(plan('a', 'b', 'note'));
    chats.reload();
    assert.deepEqual(await chats.blocks('one', true), ['a', 'b']);
    assert.deepEqual(await chats.blocks('one', true), ['a', 'b']);
    assert.deepEqual(chats.plans, [{ folder: '/code/app', role: 'chat', budget: 8_192, keep: true }]);
  });

  test('where the kept plan is another one, or cannot be had, it goes on without, and stays so', async () => {
    for (const kept of [ok(plan('b', 'a')), err(makeError('memory.indexStopped', 'It does not run.', ''))]) {
      const chats = new Chats();
      await chats.blocks('one', false);
      chats.reload();
      chats.kept = kept;
      assert.equal(await chats.blocks('one', true), undefined);
      chats.kept = ok(plan('a', 'b'));
      assert.equal(await chats.blocks('one', true), undefined);
    }
  });

  test('not for endpoints, not without a folder, and not in a context that is too small for it', async () => {
    const chats = new Chats();
    await chats.blocks('one', false);
    assert.equal(await chats.blocks('one', true, { info: { name: 'E', kind: 'endpoint', contextSize: 128_000 } } as ChatModel), undefined);
    assert.equal(await chats.memory.memoryOf({ id: 'x', begun: false }, model, signal), undefined);
    assert.equal(await chats.blocks('one', true, chat(512).model), undefined);
    assert.deepEqual(await chats.blocks('one', true), ['a', 'b']);
  });

  test('the list of conversations does not grow for ever', async () => {
    const chats = new Chats();
    for (let i = 0; i < 300; i++) await chats.blocks(`c${i}`, false);
    assert.deepEqual([Object.keys(chats.stored).length, Object.keys(chats.stored).at(-1)], [200, 'c299']);
  });
});
