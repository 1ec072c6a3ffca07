import assert from 'node:assert/strict';
import { LoupeFailure, makeError } from '../../../src/base/errors.js';
import { err, ok, type Result } from '../../../src/base/result.js';
import { memoryBudget } from '../../../src/extension/memory/memoryBudget.js';
import type { MemoryPlan } from '../../../src/protocol/context.js';
import { settingDefaults } from '../../../src/protocol/settings.js';
import { chat, plan, ScriptedSidecar, settle, Window } from './scripted.js';

suite('memory of the repository: when it begins', () => {
  test('cold until a model is loaded, then when the user has paused: index, read, warm', async () => {
    const window = new Window();
    await window.after(60_000);
    assert.equal(window.state, 'cold');
    window.load();
    assert.equal(window.state, 'waiting idle');
    await window.after(4_000);
    window.activity.fire();
    await window.after(4_000);
    assert.equal(window.plans.length, 0, 'the user was active 4 s ago');
    let answered: (result: Result<MemoryPlan>) => void = () => undefined;
    window.answer = () => new Promise((resolve) => (answered = resolve));
    await window.after(1_000);
    window.indexState.fire({ folder: '/elsewhere', state: 'indexing', done: 1, total: 2 });
    window.indexState.fire({ folder: '/code/app', state: 'indexing', done: 3, total: 9 });
    answered(ok(plan('a', 'b')));
    await settle();
    window.sidecar.progress('restore', 50, 250);
    window.sidecar.progress('prefill', 100, 200);
    window.sidecar.finish();
    await settle();
    assert.deepEqual(window.shown, ['waiting idle', 'indexing 0/0', 'indexing 3/9', 'warming 0/200', 'warming 50/250', 'warming 150/250', 'warm 250']);
    assert.deepEqual(window.plans, [{ folder: '/code/app', role: 'chat', budget: 2_730, keep: false }]);
    assert.deepEqual(window.sidecar.remembered.map(({ role, memory, prompt }) => [role, memory, prompt.map(({ text }) => text)]), [['chat', '/code/app', ['a', 'b']]]);
    assert.equal(window.sidecar.budget, 4 * 2 ** 30);
    const warm = window.memory.warmFor('file:///code/app', window.local!.model);
    assert.deepEqual(warm?.memory, { mode: 'whole', blocks: ['a', 'b'] });
    assert.equal(window.memory.warmFor('file:///code/other', window.local!.model), undefined);
    assert.equal(window.memory.warmFor('file:///code/app', chat(8_192).model), undefined, 'another model');
  });

  test('off, with the reason, and nothing is asked', async () => {
    const states = [
      new Window(undefined, (w) => { w.values = { ...settingDefaults, 'loupe.memory.enabled': false }; }),
      new Window(undefined, (w) => { w.trusted = false; }),
      new Window(undefined, (w) => { w.values = { ...settingDefaults, 'loupe.memory.enabled': true, 'loupe.model.chat': 'endpoint' }; }),
      new Window(undefined, (w) => { w.folder = undefined; }),
    ];
    for (const window of states) window.load();
    const small = new Window();
    small.load(chat(2_048));
    const empty = new Window();
    empty.answer = () => ok({ ...plan('head'), files: { indexed: 0, whole: 0, mapped: 0 } });
    empty.load();
    for (const window of [...states, small, empty]) await window.after(10 * 60_000);
    assert.deepEqual([...states, small, empty].map(({ state }) => state), ['off setting', 'off untrusted', 'off endpoint', 'off noFolder', 'off smallContext', 'off nothing']);
    assert.deepEqual([...states, small].map(({ plans }) => plans.length), [0, 0, 0, 0, 0]);
    for (const window of states) assert.throws(() => window.memory.rememberNow(), LoupeFailure);
  });

  test('the budget leaves room for the chat', () => {
    assert.deepEqual([6_000, 12_287, 12_288, 32_768, 131_072].map((size) => memoryBudget(size, 24_000)), [2_000, 4_095, 4_096, 24_000, 24_000]);
    assert.equal(memoryBudget(20_000, 24_000), 11_808);
  });

  test('another model, preset, context or folder begins again; what was warm is known when it comes back', async () => {
    const window = new Window();
    await window.becomeWarm();
    const first = window.local;
    window.load(chat(16_384));
    assert.equal(window.state, 'waiting idle');
    await window.after(5_000);
    assert.equal(window.plans.at(-1)?.budget, 8_192);
    window.unload();
    await settle();
    assert.equal(window.state, 'cold');
    window.load(first);
    assert.equal(window.state, 'warm 250');
    window.folder = 'file:///code/other';
    window.folderChanged.fire();
    assert.equal(window.state, 'waiting idle');
    await window.after(5_000);
    window.sidecar.finish();
    await settle();
    assert.deepEqual([window.state, window.plans.at(-1)?.folder, window.sidecar.remembered.at(-1)?.memory], ['warm 250', '/code/other', '/code/other']);
    window.folder = 'file:///code/app';
    window.folderChanged.fire();
    assert.equal(window.state, 'warm 250');
  });

  test('other tools of MCP servers stand before what is remembered: it begins again, and is known when they come back', async () => {
    const window = new Window();
    await window.becomeWarm();
    const told = (tools: string): string => {
      window.tools = tools;
      window.toolsChanged.fire();
      return window.state;
    };
    assert.deepEqual([told(''), told('a'), told('')], ['warm 250', 'waiting idle', 'warm 250']);
    assert.equal(window.memory.warmFor('file:///code/app', window.local!.model)?.blockTokens, 200);
    window.tools = 'a';
    assert.equal(window.memory.warmFor('file:///code/app', window.local!.model), undefined, 'a conversation with these tools does not begin with it');
  });

  test('the same model told of again changes nothing', async () => {
    const window = new Window();
    window.load();
    await window.after(5_000);
    window.modelChanged.fire();
    window.folderChanged.fire();
    window.sidecar.finish();
    await settle();
    assert.deepEqual([window.state, window.sidecar.remembered.length], ['warm 250', 1]);
  });
});

suite('memory of the repository: what is saved', () => {
  test('is taken at once in another window, without a pause and without reading', async () => {
    const window = new Window();
    await window.becomeWarm();
    const next = new Window(window.sidecar);
    next.load();
    await settle();
    assert.deepEqual([next.shown, next.sidecar.remembered.length], [['waiting idle', 'warm 250'], 1]);
    assert.deepEqual(next.memory.warmFor(next.folder, next.local!.model)?.memory.blocks, ['a', 'b']);
  });

  test('is taken when the language server comes later than the model; what is not saved waits for the pause', async () => {
    const window = new Window();
    await window.becomeWarm();
    const next = new Window(window.sidecar);
    next.answer = () => err(makeError('memory.indexStopped', 'It does not run.', 'Wait.'));
    next.load();
    await settle();
    assert.equal(next.state, 'waiting idle');
    next.answer = () => ok(plan('a', 'b'));
    next.serverStarted.fire();
    await settle();
    assert.equal(next.state, 'warm 250');
    const edited = new Window(window.sidecar);
    edited.answer = () => ok(plan('a', 'b', 'note'));
    edited.load();
    await settle();
    assert.equal(edited.state, 'waiting idle');
    await edited.after(5_000);
    assert.equal(edited.state, 'warming 0/300');
  });

  test('where nothing is saved, the index is not asked before the pause', async () => {
    const window = new Window();
    window.load();
    await window.after(4_900);
    assert.deepEqual([window.plans.length, window.sidecar.restores, window.state], [0, 0, 'waiting idle']);
  });
});

suite('memory of the repository: edits', () => {
  test('after a pause in typing the plan is asked for again; only another chain is read', async () => {
    const window = new Window();
    await window.becomeWarm();
    await window.after(20_000); // the look behind itself
    assert.equal(window.plans.length, 2);
    window.filesChanged.fire(['file:///code/app/src/a.ts']);
    await window.after(19_000);
    window.activity.fire();
    await window.after(19_000);
    assert.equal(window.plans.length, 2, 'typed 19 s ago');
    window.answer = () => ok(plan('a', 'b', 'note'));
    window.look.fire();
    await window.after(40_000);
    assert.equal(window.plans.length, 3);
    assert.equal(window.state, 'warming 0/300');
    assert.deepEqual(window.memory.warmFor(window.folder, window.local!.model)?.memory.blocks, ['a', 'b'], 'still warm while the note is read');
    window.sidecar.finish();
    await settle();
    assert.equal(window.state, 'warm 350');
    assert.deepEqual(window.memory.warmFor(window.folder, window.local!.model)?.memory.blocks, ['a', 'b', 'note']);
    await window.after(20_000);
    assert.deepEqual([window.plans.length, window.sidecar.remembered.length], [4, 2]);
  });

  test('files elsewhere and the insides of git are not looked at; what changes all the time ever more seldom', async () => {
    const window = new Window();
    await window.becomeWarm();
    await window.after(20_000);
    window.filesChanged.fire(['file:///code/app/.git/index', 'file:///code/application/x.ts', 'untitled:1']);
    await window.after(10 * 60_000);
    assert.equal(window.plans.length, 2);
    for (let second = 0; second < 3_600; second++) {
      window.filesChanged.fire(['file:///code/app/server.log']);
      await window.after(1_000);
    }
    assert.ok(window.plans.length > 10 && window.plans.length < 25, `${window.plans.length} looks within an hour`);
  });

  test('states that another window has removed are not read again by themselves', async () => {
    const window = new Window();
    await window.becomeWarm();
    window.sidecar.states = [];
    await window.after(20_000);
    assert.equal(window.state, 'off removed');
    assert.equal(window.memory.warmFor(window.folder, window.local!.model), undefined);
    window.memory.rememberNow();
    await settle();
    window.sidecar.finish();
    await settle();
    assert.equal(window.state, 'warm 250');
  });
});

suite('memory of the repository: power', () => {
  test('on battery nothing is read, but what is saved is taken; plugged in, it goes on', async () => {
    const window = new Window();
    window.battery = true;
    window.load();
    await window.after(5_000);
    assert.deepEqual([window.state, window.sidecar.remembered.length, window.sidecar.restores], ['waiting power', 0, 1]);
    window.battery = false;
    await window.after(60_000);
    assert.equal(window.state, 'warming 0/200');
    window.battery = true;
    await window.after(30_000);
    assert.equal(window.state, 'waiting power', 'unplugged while it read');
    window.battery = false;
    await window.after(60_000);
    window.sidecar.finish();
    await settle();
    assert.equal(window.state, 'warm 250');
    const later = new Window(window.sidecar);
    later.battery = true;
    later.load();
    await later.after(5_000);
    assert.deepEqual([later.state, later.sidecar.remembered.length], ['warm 250', 2]);
    const changed = new Window(window.sidecar);
    changed.battery = true;
    changed.answer = () => ok(plan('a', 'b', 'note'));
    changed.load();
    await changed.after(5_000);
    assert.deepEqual([changed.state, changed.sidecar.remembered.length], ['waiting power', 2]);
  });

  test('the battery is looked at only while there is something to read', async () => {
    const window = new Window();
    await window.after(10 * 60_000);
    window.load();
    await window.after(4_000);
    assert.equal(window.batteryLooks, 0);
    await window.after(1_000);
    window.sidecar.finish();
    await settle();
    const looks = window.batteryLooks;
    await window.after(60 * 60_000);
    assert.equal(window.batteryLooks, looks);
  });

  test('who asks for it gets it, on battery and at once', async () => {
    const window = new Window();
    window.battery = true;
    window.load();
    window.memory.rememberNow();
    await settle();
    assert.equal(window.state, 'warming 0/200');
    await window.after(60_000);
    assert.equal(window.state, 'warming 0/200');
  });
});

suite('memory of the repository: cancel, forget, errors', () => {
  test('cancelled it stays off until it is wanted again', async () => {
    const window = new Window();
    window.load();
    await window.after(5_000);
    window.memory.cancel();
    await settle();
    assert.equal(window.state, 'off cancelled');
    window.look.fire();
    window.modelChanged.fire();
    window.serverStarted.fire();
    await window.after(10 * 60_000);
    assert.deepEqual([window.state, window.sidecar.remembered.length], ['off cancelled', 1]);
    window.memory.rememberNow();
    await settle();
    window.sidecar.finish();
    await settle();
    assert.deepEqual([window.state, window.sidecar.remembered.length], ['warm 250', 2]);
  });

  test('forgetting removes index, plan and states, and ends what runs first', async () => {
    const window = new Window();
    await window.becomeWarm();
    window.answer = () => ok(plan('a', 'b', 'c'));
    await window.after(20_000);
    assert.equal(window.state, 'warming 0/300');
    await window.memory.forget();
    assert.deepEqual([window.state, window.sidecar.states, window.forgotten], ['off forgotten', [], ['/code/app']]);
    assert.equal(window.memory.warmFor(window.folder, window.local!.model), undefined);
    await window.after(10 * 60_000);
    assert.equal(window.sidecar.remembered.length, 2);
  });

  test('switched off: ended, and said so; it can be forgotten all the same', async () => {
    const window = new Window();
    window.load();
    await window.after(5_000);
    window.values = { ...settingDefaults, 'loupe.memory.enabled': false };
    window.settingsChanged.fire(new Set(['loupe.memory.enabled']));
    await settle();
    assert.equal(window.state, 'off setting');
    await window.memory.forget();
    assert.deepEqual([window.state, window.forgotten.length], ['off setting', 1]);
  });

  test('a failure is shown with its next step; the next change tries again', async () => {
    const window = new Window();
    window.load();
    await window.after(5_000);
    window.sidecar.finish(err(makeError('snapshot.diskFull', 'The disk is full.', 'Free some.')));
    await settle();
    assert.equal(window.state, 'failed snapshot.diskFull');
    window.filesChanged.fire(['file:///code/app/a.ts']);
    await window.after(20_000);
    window.sidecar.finish();
    await settle();
    assert.equal(window.state, 'warm 250');
  });

  test('a sidecar that crashed is on its way back: tried again three times, then it is a failure', async () => {
    const window = new Window();
    const crash = err(makeError('sidecar.crashed', 'It ended.', 'Ask again.'));
    window.load();
    await window.after(5_000);
    for (let crashes = 0; crashes < 3; crashes++) {
      window.sidecar.finish(crash);
      await settle();
      assert.equal(window.state, 'waiting idle');
      await window.after(10_000);
    }
    window.sidecar.finish(crash);
    await settle();
    assert.deepEqual([window.state, window.sidecar.remembered.length], ['failed sidecar.crashed', 4]);
  });

  test('without a language server it fails, and begins when that runs', async () => {
    const window = new Window();
    window.answer = () => err(makeError('memory.indexStopped', 'It does not run.', 'Wait.'));
    window.load();
    await window.after(5_000);
    assert.equal(window.state, 'failed memory.indexStopped');
    window.answer = () => ok(plan('a', 'b'));
    window.serverStarted.fire();
    await window.after(5_000);
    window.sidecar.finish();
    await settle();
    assert.equal(window.state, 'warm 250');
  });

  test('disposed: nothing is left that could go off', async () => {
    const window = new Window();
    window.load();
    await window.after(5_000);
    window.memory.dispose();
    await settle();
    assert.equal(window.time.pending, 0);
  });
});

suite('memory of the repository: two windows', () => {
  test('on one folder: what they plan at the same time comes together', async () => {
    const sidecar = new ScriptedSidecar();
    const [one, two] = [new Window(sidecar), new Window(sidecar)];
    let kept = plan('a', 'b');
    for (const window of [one, two]) window.answer = () => ok(kept);
    await one.becomeWarm();
    kept = plan('b', 'a', 'c'); // the plan of the other window, made at the same time, was stored last
    await two.becomeWarm();
    assert.deepEqual([one.state, two.state], ['warm 250', 'warm 350']);
    await one.after(20_000);
    sidecar.finish();
    await settle();
    assert.equal(one.state, 'warm 350');
    assert.deepEqual(one.memory.warmFor(one.folder, one.local!.model)?.chain, two.memory.warmFor(two.folder, two.local!.model)?.chain);
    await one.after(10 * 60_000);
    await two.after(10 * 60_000);
    assert.deepEqual([one.state, two.state, sidecar.remembered.length], ['warm 350', 'warm 350', 3]);
  });
});
