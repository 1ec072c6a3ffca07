import { strict as assert } from 'node:assert';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Emitter } from '../../../src/base/event.js';
import { systemClock } from '../../../src/base/clock.js';
import { silentLogger } from '../../../src/base/logger.js';
import type { AgentEvent } from '../../../src/protocol/agentEvents.js';
import type { HostToChat } from '../../../src/protocol/views.js';
import { ChatController } from '../../../src/extension/chat/chatController.js';
import { ConversationStore } from '../../../src/extension/chat/conversationStore.js';
import { titleOf } from '../../../src/extension/chat/openConversations.js';
import type { RunTurn } from '../../../src/extension/chat/turnPort.js';

const budget = { steps: 1, tokens: 1, wallMs: 1 };

/** A scripted turn: says `answer`, or waits for the abort signal after the first words when `answer` is undefined. */
const scripted = (answer: (question: string) => string | undefined): RunTurn => async function* run(request, signal) {
  const said = answer(request.question);
  yield { type: 'turnStarted', turnId: request.turnId, conversation: request.conversation, at: 1, goal: request.question, model: 'scripted', budget, zone: 'full' };
  yield { type: 'hopStarted', hop: 1, atMs: 1 };
  for (const word of (said ?? 'only half').split(' ')) yield { type: 'textDelta', hop: 1, text: `${word} ` };
  if (said === undefined) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  yield { type: 'gate', atMs: 2, gate: signal.aborted ? 'cancelled' : 'answered', reason: 'scripted', spent: { steps: 1, tokens: 1, wallMs: 1 } };
  yield { type: 'turnFinished', at: 3, atMs: 2, answer: said ?? 'only half', partial: said === undefined };
  return { messages: [...request.history, { role: 'user', content: request.question }, { role: 'assistant', content: said ?? '' }] };
};

suite('chat controller (scripted turns)', () => {
  let folder: string;
  let ids = 0;
  const open: ChatController[] = [];

  setup(async () => {
    folder = await mkdtemp(join(tmpdir(), 'loupe-chat-'));
    folders.at = 0;
  });
  teardown(async () => {
    for (const controller of open.splice(0)) controller.dispose();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 }); // an aborted turn is still being written
  });

  /** Two folders; `current` is where a new chat works. */
  const folders = { all: [{ uri: 'file:///a', name: 'a' }, { uri: 'file:///b', name: 'b' }], at: 0, changed: new Emitter<void>() };
  function start(run: RunTurn): { controller: ChatController; sent: HostToChat[]; store: ConversationStore } {
    const store = new ConversationStore(folder, silentLogger);
    const model = { badge: { state: 'ready', label: 'm', detail: '' } as const, contextSize: 100, onDidChange: new Emitter<void>().event };
    const window = {
      all: folders.all, onDidChange: folders.changed.event, find: (uri: string | undefined) => folders.all.find((f) => f.uri === uri),
      get current() { return folders.all[folders.at]; },
    };
    const controller = new ChatController({ store, run, model, folders: window, trusted: () => true, clock: systemClock, newId: () => `id-${(ids += 1)}`, logger: silentLogger });
    const sent: HostToChat[] = [];
    controller.onMessage((m) => sent.push(m));
    open.push(controller);
    return { controller, sent, store };
  }

  test('a turn is streamed in order, stored, and there after a reload', async () => {
    const { controller, sent } = start(scripted(() => 'in a.ts'));
    await controller.ask('Where?', [{ kind: 'file', path: 'a.ts' }]);
    const events = sent.filter((m) => m.type === 'event').map((m) => m.event.type);
    assert.deepEqual(events, ['turnStarted', 'hopStarted', 'textDelta', 'textDelta', 'gate', 'turnFinished']);
    const begun = sent.find((m) => m.type === 'state' && m.state.running !== null);
    assert.ok(begun?.type === 'state' && begun.state.conversation.title === 'Where?', 'the view learns title and turn when it begins');
    assert.deepEqual(sent.filter((m) => m.type === 'running').map((m) => m.turnId), [null]);

    const reloaded = await start(scripted(() => '')).controller.state();
    assert.equal(reloaded.conversation.title, 'Where?');
    const turn = reloaded.conversation.turns[0];
    assert.deepEqual(turn?.attachments, [{ kind: 'file', path: 'a.ts' }]);
    assert.equal(turn?.events.find((e): e is Extract<AgentEvent, { type: 'textDelta' }> => e.type === 'textDelta')?.text, 'in a.ts ');
    assert.equal(reloaded.history.length, 1);
  });

  test('the next turn gets the history of the one before, a reload in between', async () => {
    await start(scripted(() => 'one')).controller.ask('1', []);
    const histories: number[] = [];
    const inner = scripted(() => 'two');
    const { controller } = start((request, signal) => {
      histories.push(request.history.length);
      return inner(request, signal);
    });
    await controller.ask('2', []);
    assert.deepEqual(histories, [2]);
  });

  test('stop ends the turn at once and keeps what there is, marked partial', async () => {
    const { controller, sent } = start(scripted(() => undefined));
    const asked = controller.ask('long', []);
    while (!sent.some((m) => m.type === 'event' && m.event.type === 'textDelta')) await new Promise((r) => setTimeout(r, 1));
    assert.equal(await controller.ask('second', []), false);
    await controller.stop();
    await asked;
    const { conversation, running } = await controller.state();
    assert.equal(running, null);
    const last = conversation.turns[0]?.events.at(-1);
    assert.ok(last?.type === 'turnFinished' && last.partial);
  });

  test('a turn cut by the end of the host is kept, marked partial and can be retried', async () => {
    const first = start(scripted(() => undefined));
    void first.controller.ask('cut me', []);
    while (!first.sent.some((m) => m.type === 'event' && m.event.type === 'textDelta')) await new Promise((r) => setTimeout(r, 1));
    await first.store.idle();

    const second = start(scripted(() => 'whole answer'));
    const { conversation } = await second.controller.state();
    const cut = conversation.turns[0];
    const last = cut?.events.at(-1);
    assert.ok(cut && last?.type === 'turnFinished' && last.partial, JSON.stringify(cut));
    await second.controller.retry(cut.id);
    const after = (await second.controller.state()).conversation.turns;
    assert.equal(after.length, 1);
    assert.notEqual(after[0]?.id, cut.id);
    const end = after[0]?.events.at(-1);
    assert.ok(end?.type === 'turnFinished' && !end.partial);
  });

  test('a turn that throws is closed with an error, and the next one runs', async () => {
    let broken = true;
    const good = scripted(() => 'fine');
    const { controller, sent } = start(async function* run(request, signal) {
      if (!broken) return yield* good(request, signal);
      yield { type: 'hopStarted', hop: 1, atMs: 0 };
      throw new Error('boom');
    });
    await controller.ask('1', []);
    assert.ok(sent.some((m) => m.type === 'notice' && m.text.includes('boom')));
    broken = false;
    await controller.ask('2', []);
    const { conversation } = await controller.state();
    assert.deepEqual(conversation.turns.map((t) => t.events.at(-1)?.type), ['turnFinished', 'turnFinished']);
  });

  test('a chat stays in the folder that it began in, also after a reload; one without turns follows', async () => {
    const asked: (string | undefined)[] = [];
    const inner = scripted(() => 'fine');
    const run: RunTurn = (request, signal) => {
      asked.push(request.folder);
      return inner(request, signal);
    };
    const { controller, sent } = start(run);
    assert.deepEqual((await controller.state()).folder, { name: 'a', open: true });
    folders.at = 1;
    folders.changed.fire();
    assert.deepEqual(sent.findLast((m) => m.type === 'folder')?.folder, { name: 'b', open: true });
    await controller.ask('1', []);
    folders.at = 0;
    folders.changed.fire();
    await controller.ask('2', []);
    const reloaded = start(run).controller;
    await reloaded.ask('3', []);
    assert.deepEqual(asked, ['file:///b', 'file:///b', 'file:///b']);
    assert.equal(await reloaded.folderOf((await reloaded.state()).conversation.id), 'file:///b');
  });

  test('another folder begins another chat; the same one does not', async () => {
    const { controller } = start(scripted(() => 'fine'));
    await controller.ask('1', []);
    const first = (await controller.state()).conversation.id;
    await controller.useFolder('file:///a');
    assert.equal((await controller.state()).conversation.id, first);
    await controller.useFolder('file:///b');
    const second = await controller.state();
    assert.notEqual(second.conversation.id, first);
    assert.deepEqual(second.folder, { name: 'b', open: true });
    await controller.useFolder('file:///a');
    assert.deepEqual((await controller.state()).folder, { name: 'a', open: true });
    await controller.openConversation(first);
    await controller.useFolder('file:///gone');
    assert.deepEqual((await controller.state()).folder, { name: 'gone', open: false }, 'a folder that is not open is said to be so');
  });

  test('a turn goes on in the background when another conversation is shown', async () => {
    const { controller, sent } = start(scripted(() => undefined));
    const asked = controller.ask('background', []);
    while (!sent.some((m) => m.type === 'event' && m.event.type === 'textDelta')) await new Promise((r) => setTimeout(r, 1));
    const id = (await controller.state()).conversation.id;
    await controller.newChat();
    const shown = await controller.state();
    assert.equal(shown.running, null);
    assert.deepEqual(shown.conversation.turns, []);
    await controller.openConversation(id);
    assert.notEqual((await controller.state()).running, null);
    await controller.newChat();
    await controller.stop();
    await asked;
    await controller.openConversation(id);
    assert.equal((await controller.state()).conversation.turns[0]?.events.at(-1)?.type, 'turnFinished');
  });

  test('a deleted conversation leaves no file', async () => {
    const { controller } = start(scripted(() => 'x'));
    await controller.ask('q', []);
    const { id } = (await controller.state()).conversation;
    await controller.delete(id);
    assert.deepEqual((await readdir(folder)).filter((n) => n !== 'state.json'), []);
    assert.notEqual((await controller.state()).conversation.id, id);
  });

  test('a draft survives a reload, sending clears it', async () => {
    const first = start(scripted(() => 'x'));
    await first.controller.saveDraft({ text: 'half a thou', attachments: [{ kind: 'file', path: 'b.ts' }] });
    const second = start(scripted(() => 'x'));
    assert.equal((await second.controller.state()).draft.text, 'half a thou');
    await second.controller.ask('q', []);
    assert.equal((await start(scripted(() => 'x')).controller.state()).draft.text, '');
  });

  test('a file that cannot be read is set aside, the rest stays', async () => {
    const { controller } = start(scripted(() => 'x'));
    await controller.ask('q', []);
    const { id, turns } = (await controller.state()).conversation;
    await writeFile(join(folder, id, `${turns[0]?.id}.turn.json`), '{"turn":');
    const reloaded = await start(scripted(() => 'x')).controller.state();
    assert.equal(reloaded.conversation.id, id);
    assert.deepEqual(reloaded.conversation.turns, []);
    assert.ok((await readdir(join(folder, id))).some((n) => n.endsWith('.corrupt')));
  });

  test('an id from a view cannot name a path', async () => {
    const { controller } = start(scripted(() => 'x'));
    await assert.rejects(controller.delete('../../etc'), RangeError);
  });

  test('a title is one short line', () => {
    assert.equal(titleOf('  Where is\n the   thing? '), 'Where is the thing?');
    assert.equal(titleOf('x'.repeat(100)).length, 60);
  });
});
