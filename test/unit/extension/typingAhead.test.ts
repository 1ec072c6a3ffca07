import assert from 'node:assert/strict';
import { Emitter } from '../../../src/base/event.js';
import { makeError } from '../../../src/base/errors.js';
import { err, ok } from '../../../src/base/result.js';
import { TypingAhead, type TypingAheadDeps } from '../../../src/extension/chat/typingAhead.js';
import type { ChatModel } from '../../../src/model/chatModel.js';
import { chatToHostSchema } from '../../../src/protocol/views.js';
import { FakeTime } from '../agent/support/fakeTime.js';

const stats = { tokens: 1, reused: 0, restored: 0, prefilled: 1, restoreMs: 0, prefillMs: 0, saveMs: 0, engineSaveMs: 0 };
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

suite('typing ahead', () => {
  const local = { info: { name: 'm', kind: 'local', contextSize: 100 }, prefill: () => Promise.resolve(ok(stats)) } as unknown as ChatModel;
  const endpoint = { info: { name: 'e', kind: 'endpoint', contextSize: 100 } } as unknown as ChatModel;
  interface World {
    readonly typing: TypingAhead;
    readonly read: { goal: string; context: string; conversation: string; memory: boolean; signal: AbortSignal }[];
    readonly log: string[];
    running: boolean;
    folder: string | undefined;
    model: ChatModel | undefined;
    readonly time: FakeTime;
    readonly changed: Emitter<void>;
    readonly runs: Emitter<boolean>;
  }
  const open: TypingAhead[] = [];
  teardown(() => { for (const typing of open.splice(0)) typing.dispose(); });

  function start(more: Partial<Pick<TypingAheadDeps, 'attachments' | 'read' | 'memoryOf'>> = {}): World {
    const changed = new Emitter<void>();
    const runs = new Emitter<boolean>();
    const world: Omit<World, 'typing'> = { read: [], log: [], running: false, folder: 'file:///a', model: local, time: new FakeTime(), changed, runs };
    const typing = new TypingAhead({
      controller: {
        get isRunning() { return world.running; },
        get upcoming() { return { conversation: 'c', history: [{ role: 'user' as const, content: 'before' }], folder: world.folder }; },
        onDidChangeRunning: runs.event,
      },
      models: { get ready() { return world.model; }, onDidChange: changed.event },
      attachments: (attachments) => Promise.resolve(attachments.map(({ path }) => path).join()),
      memoryOf: () => Promise.resolve(undefined),
      read: (_model, { goal, context, conversation, memory }, _folder, signal) => {
        world.read.push({ goal, context, conversation, memory: memory !== undefined, signal });
        return Promise.resolve(ok(stats));
      },
      timers: world.time,
      logger: { log: (level, message) => { world.log.push(`${level} ${message}`); } },
      ...more,
    });
    open.push(typing);
    return Object.assign(world, { typing });
  }

  test('reads at focus and after each word; a newer one ends the one before', async () => {
    const world = start({ memoryOf: () => Promise.resolve({ mode: 'map', blocks: [] }) });
    world.typing.typed({ text: '', attachments: [{ kind: 'file', path: 'a.ts' }] });
    await settle();
    world.typing.typed({ text: 'Where is', attachments: [{ kind: 'file', path: 'a.ts' }] });
    await settle();
    assert.deepEqual(world.read.map(({ goal, context, conversation, memory, signal }) => [goal, context, conversation, memory, signal.aborted]),
      [['', 'a.ts', 'c', true, true], ['Where is', 'a.ts', 'c', true, false]]);
  });

  test('not for an endpoint, not without a model, a folder or the focus, not while a turn runs', async () => {
    const world = start();
    const type = async (text: string | null): Promise<void> => {
      world.typing.typed(text === null ? null : { text, attachments: [] });
      await settle();
    };
    world.model = endpoint;
    await type('1');
    world.model = undefined;
    await type('2');
    world.model = local;
    world.running = true;
    await type('3');
    world.running = false;
    world.folder = undefined;
    await type('4');
    world.folder = 'file:///a';
    await type(null);
    assert.deepEqual(world.read, []);
  });

  test('a turn ends it; what is typed then is read when the turn has ended', async () => {
    const world = start();
    world.typing.typed({ text: 'first', attachments: [] });
    await settle();
    world.running = true;
    world.runs.fire(true);
    assert.equal(world.read[0]?.signal.aborted, true);
    world.typing.typed({ text: 'second', attachments: [] });
    await settle();
    world.running = false;
    world.runs.fire(false);
    await settle();
    assert.deepEqual(world.read.map(({ goal }) => goal), ['first', 'second']);
  });

  test('a model that becomes ready reads what is typed; the focus itself loads none, and what changes beside it begins nothing', async () => {
    const world = start();
    world.model = undefined;
    world.typing.typed({ text: 'early', attachments: [] });
    world.changed.fire();
    await settle();
    assert.equal(world.read.length, 0);
    world.model = local;
    world.changed.fire();
    await settle();
    world.changed.fire();
    await settle();
    assert.deepEqual(world.read.map(({ goal }) => goal), ['early']);
    world.typing.typed(null);
    world.model = { ...local };
    world.changed.fire();
    await settle();
    assert.equal(world.read.length, 1);
  });

  test('what something else cut off goes on while the user stays in the input, until all is read', async () => {
    let left = 0;
    const goals: string[] = [];
    const world = start({ read: (_model, { goal }) => { goals.push(goal); return Promise.resolve(ok({ ...stats, tokens: 1 + left })); } });
    const later = async (): Promise<void> => {
      world.time.advance(2500);
      await settle();
    };
    left = 10;
    world.typing.typed({ text: 'cut', attachments: [] });
    await settle();
    await later();
    left = 0;
    await later();
    await later();
    assert.deepEqual(goals, ['cut', 'cut', 'cut']);
    left = 10;
    world.typing.typed({ text: 'newer', attachments: [] });
    await settle();
    world.typing.typed(null);
    await later();
    world.typing.typed({ text: 'turn', attachments: [] });
    await settle();
    world.runs.fire(true);
    await later();
    assert.deepEqual(goals.slice(3), ['newer', 'turn']);
    assert.equal(world.time.pending, 0);
  });

  test('failures are in the log only, a cancelled attempt is none', async () => {
    const failing = start({ read: () => Promise.resolve(err(makeError('model.none', 'Gone.', 'Load it.'))) });
    failing.typing.typed({ text: 'x', attachments: [] });
    await settle();
    assert.deepEqual(failing.log, ['info Nothing was read ahead']);
    const throwing = start({ attachments: () => Promise.reject(new Error('no such folder')) });
    throwing.typing.typed({ text: 'x', attachments: [] });
    await settle();
    assert.deepEqual(throwing.log, ['info Nothing was read ahead']);
    const cancelled = start({ read: () => Promise.resolve(err(makeError('cancelled', 'Cancelled.', 'Again.'))) });
    cancelled.typing.typed({ text: 'x', attachments: [] });
    await settle();
    assert.deepEqual(cancelled.log, []);
  });

  test('the message is checked and capped', () => {
    const message = (text: string): boolean => chatToHostSchema.safeParse({ type: 'typing', typed: { text, attachments: [] } }).success;
    assert.deepEqual([message(''), message('x'.repeat(20_000)), message('x'.repeat(20_001))], [true, true, false]);
    assert.ok(chatToHostSchema.safeParse({ type: 'typing', typed: null }).success);
    assert.ok(!chatToHostSchema.safeParse({ type: 'typing' }).success);
  });
});
